// What the machines of a fleet draw above idle, by place: the ground truth that power limits are checked against.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "controller/base/time.hpp"

namespace zellige::sim {

/// The most that ever was, at any instant.
struct PowerPeak {
  double watts = 0;
  double risePerMinute = 0, fallPerMinute = 0;  ///< watts per minute; what lost its power is no fall
};

class PowerMeter {
 public:
  /// From `now` on, the machine at `place` draws `watts` and this changes by `perMinute`.
  void set(int machine, const std::string& place, Time now, double watts, double perMinute);
  /// It lost its power.
  void cut(int machine, Time now);
  /// "H1/R01"; "": the whole fleet.
  PowerPeak peak(const std::string& place) const;
  void measureAnew();

 private:
  struct Line {
    double watts = 0, perMinute = 0;  ///< from `since` on
    Time since{};
    double at(Time now) const;
  };
  struct Drawn {
    Line line;
    std::string place;
  };
  struct Place {
    Line line;
    PowerPeak peak;
  };
  static std::vector<std::string> around(const std::string& place);
  void change(const std::string& place, Time now, double watts, double perMinute);

  std::map<int, Drawn> machines_;
  std::map<std::string, Place> places_;
};

}  // namespace zellige::sim
