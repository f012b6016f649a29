// What a reading complains about, as a technician sees it.
#pragma once

#include <string>
#include <variant>
#include <vector>

#include "controller/site/document.hpp"

namespace zellige {

template <class T>
std::vector<std::string> complaints(const Reading<T>& reading) {
  std::vector<std::string> lines;
  if (const auto* problems = std::get_if<std::vector<Problem>>(&reading))
    for (const auto& problem : *problems) lines.push_back(describe(problem));
  return lines;
}

}  // namespace zellige
