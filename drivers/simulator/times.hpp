// How long things take. From FACTS section 11; what is marked est has no source.
#pragma once

#include "controller/base/time.hpp"

namespace zellige::sim {

struct Times {
  Duration replyMin{50ms}, replyMax{500ms};  ///< a healthy GET
  Duration expandBase{2s};                   ///< est: a deep expand or an inventory starts at 2 s
  Duration expandPerMember{50ms};            ///< est
  Duration upload{10s};                      ///< est: 200 MiB over the management network
  Duration bmcTrayFlash{640s};               ///< 10:40
  Duration computeFlash{590s};               ///< 9:50
  Duration shelfFlash{300s};                 ///< est: a shelf's controller, or its six supplies
  Duration switchInstall{300s}, switchLongInstall{600s};  ///< est: a job may take 20 to 30 min (FACTS 11)
  Duration singleFlash{140s};                             ///< 2:20, one ERoT alone
  Duration notRecognised{50s};                            ///< bmcweb gives an image 50 s to be recognised
  Duration bmcRestart{180s};                              ///< 3 min
  Duration bmcAfterAuxExtra{120s};     ///< up to 5 min after an AC cycle: up to this much more
  Duration hgxMin{60s}, hgxMax{180s};  ///< HGX BMC after that, 1-3 min
  Duration hgxRediscover{30s};         ///< est: HGX_* listed again after a BMC reset that HGX did not share
  Duration backgroundCopy{240s};       ///< est: "up to 10 min"
  Duration powerOffForced{5s};         ///< est
  Duration powerOffGraceful{30s};      ///< est
  Duration powerShown{4s};             ///< est: PowerState, LastResetTime and BootProgress trail a reset
  Duration bmcResetDelay{3s};          ///< est: a BMC goes on answering after it agreed to restart or cycle
  Duration mediaShown{3s};             ///< est: a slot says Inserted late (FACTS 5)
  Duration passwordSet{3s};            ///< est: an account is changed before the reply, and without it
  Duration post{300s};                 ///< UEFI: 5 min
  Duration osBoot{60s};                ///< 1 min
  Duration imageWrite{180s};           ///< est: 12 GB through zstd to NVMe, checked, synced
  Duration leakedMin{300s}, leakedMax{1'500s};  ///< fault 6, est: so long ago they were last used
  Duration powerUnmoved{23s};                   ///< fault 15: 22-24 s
  Duration failingMin{120s}, failingMax{300s};  ///< fault 3, est
  Duration fabric{90s};                         ///< est: NMX-Controller until the fabric is configured
  Duration bmcSlowExtraMin{360s}, bmcSlowExtraMax{600s};  ///< fault 19: more than 5 min
  Duration hgxLateMin{240s}, hgxLateMax{360s};            ///< fault 20

  /// est: when a host's request without an answer counts as lost. World time: where the clock is sped up far and
  /// the door's transport is real, make it longer.
  Duration uplinkTimeout{120s};
};

}  // namespace zellige::sim
