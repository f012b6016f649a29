// Text that came from outside, made fit to be kept.
#pragma once

#include <string>
#include <string_view>

namespace zellige {

/// At most `bytes` of it, cut between two UTF-8 characters.
inline std::string_view shortened(std::string_view text, std::size_t bytes) {
  if (text.size() <= bytes) return text;
  while (bytes > 0 && (static_cast<unsigned char>(text[bytes]) & 0xC0) == 0x80) --bytes;
  return text.substr(0, bytes);
}

}  // namespace zellige
