// A Bmc that has nothing: every function is Unsupported. Test machines override what they have.
#pragma once

#include "controller/bmc.hpp"

namespace zellige::test {

class NoBmc : public Bmc {
 public:
  Task<Result<BmcIdentity>> identify() override { co_return none(); }
  Task<Result<void>> signIn() override { co_return none(); }
  Task<Result<Inventory>> inventory() override { co_return none(); }
  Task<Result<std::vector<FirmwareItem>>> firmware() override { co_return none(); }
  Task<Result<HostState>> host() override { co_return none(); }
  Task<Result<BmcState>> state() override { co_return none(); }
  Task<Result<BmcSettings>> settings() override { co_return none(); }
  Task<Result<std::vector<BmcTask>>> tasks() override { co_return none(); }
  Task<Result<BmcTask>> task(std::string) override { co_return none(); }
  Task<Result<MediaState>> media() override { co_return none(); }
  Task<Result<BootOverride>> bootOverride() override { co_return none(); }
  Task<Result<bool>> leakDetected() override { co_return none(); }
  Task<Result<bool>> backgroundCopyDone() override { co_return none(); }
  Task<Result<bool>> feeds() override { co_return none(); }
  Task<Result<void>> changePassword() override { co_return none(); }
  Task<Result<void>> setSettings(BmcSettings) override { co_return none(); }
  Task<Result<std::string>> pushFirmware(PackageFile, std::vector<std::string>, bool) override {
    co_return none();
  }
  Task<Result<void>> reset(HostReset) override { co_return none(); }
  Task<Result<void>> auxPowerCycle() override { co_return none(); }
  Task<Result<void>> resetBmc() override { co_return none(); }
  Task<Result<void>> insertMedia(std::string) override { co_return none(); }
  Task<Result<void>> ejectMedia() override { co_return none(); }
  Task<Result<void>> setBootOverride(BootOverride) override { co_return none(); }
  Task<Result<void>> setLocateLed(bool) override { co_return none(); }
  Task<Result<void>> startFeeding() override { co_return none(); }

 private:
  static Error none() { return Error{Errc::Unsupported, "no such thing"}; }
};

}  // namespace zellige::test
