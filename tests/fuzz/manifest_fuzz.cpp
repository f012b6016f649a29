// Any text given as a file of a site or as the configuration: a value, or problems that all have a reason.
#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "controller/site/configuration.hpp"
#include "controller/site/site_file.hpp"

namespace {

template <class T>
void judge(const zellige::Reading<T>& reading, std::string_view text) {
  const auto* problems = std::get_if<std::vector<zellige::Problem>>(&reading);
  if (!problems) return;
  if (problems->empty() || problems->size() > zellige::maxProblems) std::abort();
  for (const auto& problem : *problems) {
    if (problem.reason.empty() || problem.line < 0 || problem.column < 0) std::abort();
    if (zellige::firstNotText(zellige::describe(problem)) != std::string_view::npos) std::abort();
    if (static_cast<std::size_t>(problem.line) > text.size() + 1) std::abort();
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  judge(zellige::readSiteFile("f.yaml", text), text);
  judge(zellige::readConfiguration("f.yaml", text), text);
  return 0;
}
