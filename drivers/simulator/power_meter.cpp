#include "drivers/simulator/power_meter.hpp"

#include <algorithm>

namespace zellige::sim {

double PowerMeter::Line::at(Time now) const {
  return watts + perMinute * static_cast<double>((now - since).count()) / 60'000.0;
}

// "H1/R01/U10": "", "H1", "H1/R01", "H1/R01/U10".
std::vector<std::string> PowerMeter::around(const std::string& place) {
  std::vector<std::string> out{""};
  for (auto cut = place.find('/'); cut != std::string::npos; cut = place.find('/', cut + 1))
    out.push_back(place.substr(0, cut));
  out.push_back(place);
  return out;
}

void PowerMeter::change(const std::string& place, Time now, double watts, double perMinute) {
  auto& [line, peak] = places_[place];
  line = {line.at(now) + watts, line.perMinute + perMinute, now};
  peak.watts = std::max(peak.watts, line.watts);
  peak.risePerMinute = std::max(peak.risePerMinute, line.perMinute);
  peak.fallPerMinute = std::max(peak.fallPerMinute, -line.perMinute);
}

void PowerMeter::set(int machine, const std::string& place, Time now, double watts, double perMinute) {
  auto& [line, where] = machines_[machine];
  where = place;
  const double jump = watts - line.at(now), bend = perMinute - line.perMinute;
  line = {watts, perMinute, now};
  for (const auto& outer : around(place)) change(outer, now, jump, bend);
}

void PowerMeter::cut(int machine, Time now) {
  const auto it = machines_.find(machine);
  if (it == machines_.end()) return;
  for (const auto& outer : around(it->second.place))
    change(outer, now, -it->second.line.at(now), -it->second.line.perMinute);
  machines_.erase(it);
}

PowerPeak PowerMeter::peak(const std::string& place) const {
  const auto it = places_.find(place);
  return it == places_.end() ? PowerPeak{} : it->second.peak;
}

void PowerMeter::measureAnew() {
  for (auto& [name, place] : places_) place.peak = {};
}

}  // namespace zellige::sim
