// Looks for secrets in every byte of every file below a directory: as they are, as hex, and as base64 (also URL-safe)
// at each of its three alignments. Tests plant canaries as passwords and tokens and scan what the program wrote.
#pragma once

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <string_view>
#include <vector>

#include "controller/base/digest.hpp"

namespace zellige::test {

struct CanaryHit {
  std::filesystem::path file;
  std::string canary, form;
};

/// Every text as which `secret` may lie in a file, with what to call it.
inline std::vector<std::pair<std::string, std::string>> formsOf(std::string_view secret) {
  std::vector<std::pair<std::string, std::string>> forms{{"plain", std::string(secret)},
                                                         {"hex", toHex(secret)}};
  std::string upper = toHex(secret);
  std::transform(upper.begin(), upper.end(), upper.begin(), [](unsigned char c) { return std::toupper(c); });
  forms.emplace_back("HEX", upper);
  for (std::size_t shift = 0; shift < 3; ++shift) {
    // Whole groups of four characters that only the secret's own bytes decide.
    const auto text = toBase64(std::string(shift, '\0') + std::string(secret));
    const std::size_t first = shift == 0 ? 0 : 4, last = (shift + secret.size()) / 3 * 4;
    auto form = text.substr(first, last - first);
    forms.emplace_back("base64", form);
    std::replace(form.begin(), form.end(), '+', '-');
    std::replace(form.begin(), form.end(), '/', '_');
    forms.emplace_back("base64url", form);
  }
  return forms;
}

/// Canaries should have 16 characters or more, so that none of their forms occurs by chance.
inline std::vector<CanaryHit> findCanaries(const std::filesystem::path& directory,
                                           const std::vector<std::string>& canaries) {
  std::vector<CanaryHit> hits;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(directory)) {
    if (!entry.is_regular_file()) continue;
    std::ifstream in(entry.path(), std::ios::binary);
    const std::string bytes(std::istreambuf_iterator<char>(in), {});
    for (const auto& canary : canaries)
      for (const auto& [name, form] : formsOf(canary))
        if (bytes.find(form) != std::string::npos) hits.push_back({entry.path(), canary, name});
  }
  return hits;
}

}  // namespace zellige::test
