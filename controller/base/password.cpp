#include "controller/base/password.hpp"

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>

namespace zellige {

namespace {

constexpr std::array<std::string_view, 4> classes{"abcdefghijklmnopqrstuvwxyz", "ABCDEFGHIJKLMNOPQRSTUVWXYZ",
                                                  "0123456789", "-_.+"};

int nibble(char c) { return c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10; }

// Uniform numbers from hex digits, four at a time; the bias of 16 bits over at most 66 values is under 0.1 %.
class Draws {
 public:
  explicit Draws(std::string hex) : hex_(std::move(hex)) {}
  std::size_t below(std::size_t bound) {
    unsigned value = 0;
    for (int i = 0; i < 4; ++i) value = value * 16 + static_cast<unsigned>(nibble(hex_[at_++ % hex_.size()]));
    return value % bound;
  }

 private:
  std::string hex_;
  std::size_t at_ = 0;
};

}  // namespace

std::string makePassword(std::size_t length, const std::function<std::string(std::size_t)>& randomHex) {
  length = std::max(length, classes.size());
  std::string all;
  for (const auto set : classes) all += set;
  Draws draws(randomHex(4 * length));
  std::string password;
  for (const auto set : classes) password += set[draws.below(set.size())];
  while (password.size() < length) password += all[draws.below(all.size())];
  for (auto i = password.size() - 1; i > 0; --i) std::swap(password[i], password[draws.below(i + 1)]);
  return password;
}

}  // namespace zellige
