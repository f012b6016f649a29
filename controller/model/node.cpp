#include "controller/model/node.hpp"

namespace zellige {

std::string Place::rack() const {
  std::size_t cut = 0;
  for (int i = 0; i < 3; ++i) {
    cut = path.find('/', i == 0 ? 0 : cut + 1);
    if (cut == std::string::npos) return path;
  }
  return path.substr(0, cut);
}

bool Place::isInside(std::string_view outer) const {
  if (outer.empty()) return true;
  return path.starts_with(outer) && (path.size() == outer.size() || path[outer.size()] == '/');
}

}  // namespace zellige
