#include "tests/docs/documents.hpp"

#include <algorithm>
#include <array>
#include <regex>
#include <sstream>

namespace zellige::documents {

namespace {

std::set<std::string> allMatches(std::string_view text, const char* pattern) {
  const std::regex expression(pattern, std::regex::ECMAScript | std::regex::multiline);
  std::set<std::string> out;
  const std::string copy(text);
  for (std::sregex_iterator it(copy.begin(), copy.end(), expression), end; it != end; ++it)
    out.insert((*it)[1]);
  return out;
}

constexpr std::array<std::string_view, 9> kOurs = {"./",     "controller/", "drivers/", "workflows/", "web/",
                                                   "tests/", "docs/",       "images/",  ".ci/"};

}  // namespace

std::set<std::string> entriesIn(std::string_view text) {
  return allMatches(text, "^- \\*\\*`([A-Za-z0-9_.]+)`\\*\\*");
}

std::set<std::string> logCodesIn(std::string_view source) {
  std::set<std::string> out;
  for (const std::string_view call : {"log::info(", "log::warn(", "log::error("}) {
    for (auto at = source.find(call); at != source.npos; at = source.find(call, at + 1)) {
      const auto open = source.find_first_not_of(" \t\r\n", at + call.size());
      if (open == source.npos || source[open] != '"') continue;
      out.emplace(source.substr(open + 1, source.find('"', open + 1) - open - 1));
    }
  }
  return out;
}

std::vector<std::string> blocksIn(std::string_view text, std::string_view language) {
  std::vector<std::string> out;
  std::istringstream lines{std::string(text)};
  bool inFence = false, wanted = false;
  for (std::string line; std::getline(lines, line);) {
    const auto indent = std::min(line.find_first_not_of(' '), line.size());  // blocks in a list are indented
    const auto content = std::string_view(line).substr(indent);
    if (content.starts_with("```")) {
      wanted = !inFence && content.substr(3) == language;
      inFence = !inFence;
      if (wanted) out.emplace_back();
    } else if (wanted) {
      out.back() += line + "\n";
    }
  }
  return out;
}

std::vector<std::string> commandsIn(std::string_view text) {
  std::vector<std::string> out;
  for (const auto& block : blocksIn(text, "sh")) {
    std::istringstream lines(block);
    for (std::string line; std::getline(lines >> std::ws, line);) out.push_back(line);
  }
  return out;
}

std::vector<std::string> filesNamedBy(std::string_view command) {
  std::vector<std::string> out;
  std::istringstream words{std::string(command.substr(0, command.find('#')))};
  for (std::string word; words >> word;)
    for (const auto ours : kOurs)
      if (word.starts_with(ours)) out.push_back(word);
  return out;
}

std::vector<std::string> linksIn(std::string_view text) {
  std::vector<std::string> out;
  for (const auto& target : allMatches(text, "\\]\\(([^)#\\s]+)[^)]*\\)"))
    if (target.find("://") == std::string::npos) out.push_back(target);
  return out;
}

}  // namespace zellige::documents
