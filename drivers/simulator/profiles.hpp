// One file per kind of machine. Internal.
#pragma once

#include "drivers/simulator/profile.hpp"

namespace zellige::sim {

const Profile& computeTray();
const Profile& switchTray();
const Profile& powerShelf();

}  // namespace zellige::sim
