// Seeded randomness for the simulator and for tests: the same seed gives the same numbers in every build and on every
// machine. Never for secrets (see secret.hpp).
#pragma once

#include <cstdint>
#include <string_view>

namespace zellige {

class Random {
 public:
  explicit Random(std::uint64_t seed) : state_(seed) {}
  /// An independent stream: the same (seed, name) always gives the same stream.
  Random(std::uint64_t seed, std::string_view name);

  std::uint64_t next();
  /// Uniform in [0, 1).
  double real();
  /// Uniform in [low, high], both included.
  std::int64_t between(std::int64_t low, std::int64_t high);
  bool chance(double probability) { return real() < probability; }
  /// exp(N(0, sigma)): median 1.
  double lognormal(double sigma);
  /// Mean `mean`, in the unit of `mean`.
  double exponential(double mean);

 private:
  std::uint64_t state_;
};

}  // namespace zellige
