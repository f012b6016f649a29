// New passwords for the accounts of machines.
#pragma once

#include <functional>
#include <string>

namespace zellige {

/// Long enough and short enough for every machine known: GB200 8-20, DGX 13-20, XCC 10-32, BlueField 12-20, IPMI users
/// at most 20 (FACTS 7).
inline constexpr std::size_t defaultPasswordLength = 16;

/// Small and capital letters, digits and symbols, at least one of each, no character that a shell, URL or XML minds.
/// `randomHex(n)` gives n random bytes as hex. `length` under 4 is taken as 4.
std::string makePassword(std::size_t length, const std::function<std::string(std::size_t)>& randomHex);

}  // namespace zellige
