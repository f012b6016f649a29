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

/// What a device said of itself, fit for any log, table or terminal: at most `bytes`, all but printable ASCII as '?'.
inline std::string plainWord(std::string_view text, std::size_t bytes = 128) {
  std::string out(text.substr(0, bytes));
  for (char& c : out)
    if (c < ' ' || c >= 0x7F) c = '?';
  return out;
}

}  // namespace zellige
