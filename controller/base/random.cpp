#include "controller/base/random.hpp"

#include <cmath>
#include <numbers>

namespace zellige {

Random::Random(std::uint64_t seed, std::string_view name) : state_(seed) {
  for (const char c : name) state_ = (state_ ^ static_cast<unsigned char>(c)) * 0x100000001b3ull;
  next();
}

// splitmix64: public domain constants by Sebastiano Vigna.
std::uint64_t Random::next() {
  state_ += 0x9e3779b97f4a7c15ull;
  auto z = state_;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ull;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebull;
  return z ^ (z >> 31);
}

double Random::real() { return static_cast<double>(next() >> 11) * 0x1.0p-53; }

std::int64_t Random::between(std::int64_t low, std::int64_t high) {
  const auto span = static_cast<std::uint64_t>(high - low) + 1;
  return low + static_cast<std::int64_t>(span == 0 ? next() : next() % span);
}

double Random::lognormal(double sigma) {
  const double u = 1.0 - real();
  const double v = real();
  return std::exp(sigma * std::sqrt(-2.0 * std::log(u)) * std::cos(2.0 * std::numbers::pi * v));
}

double Random::exponential(double mean) { return -mean * std::log(1.0 - real()); }

}  // namespace zellige
