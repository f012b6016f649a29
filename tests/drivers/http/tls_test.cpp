// Pinning on first use, changed keys, certificate authorities.
#include <filesystem>
#include <fstream>

#include "tests/drivers/http/loopback.hpp"

namespace zellige::test {
namespace {

std::atomic<int> noVisits = 0;

listener::Handler counting(std::atomic<int>& visits) {
  return [&visits](std::shared_ptr<Exchange> exchange) {
    ++visits;
    exchange->respond(reply(200, "{}"));
  };
}

class PemFile {
 public:
  PemFile(const std::string& name, const std::string& text)
      : path_(std::filesystem::temp_directory_path() / (name + std::to_string(::getpid()) + ".pem")) {
    std::ofstream(path_) << text;
  }
  ~PemFile() { std::filesystem::remove(path_); }
  std::string path() const { return path_.string(); }

 private:
  std::filesystem::path path_;
};

TEST(Pin, IsLearntAtFirstContactAndOnKeptConnectionsToo) {
  const auto server = serve(tlsOptions(), counting(noVisits));
  const auto pin = listener::spkiPin(identity().certificatePem);
  ASSERT_TRUE(pin);
  Client client;
  auto peer = tlsPeer(server->addresses()[0]);
  EXPECT_EQ(client.send(peer, get())->pin, *pin);
  EXPECT_EQ(client.send(peer, get())->pin, *pin) << "kept connection";
  EXPECT_EQ(client.send(peer, post("/", "{}"))->pin, *pin);
  peer.pin = *pin;
  EXPECT_EQ(client.send(peer, get())->pin, *pin) << "now pinned";
  EXPECT_EQ(client.send(peer, get())->pin, *pin);
}

TEST(Pin, ThatDiffersSendsNothing) {
  std::atomic<int> visits = 0;
  const auto server = serve(tlsOptions(), counting(visits));
  Client client;
  auto peer = tlsPeer(server->addresses()[0]);
  ASSERT_TRUE(client.send(peer, get()));
  peer.pin = *listener::spkiPin(listener::makeSelfSigned("other", {}).certificatePem);
  for (const auto& request : {get(), post("/", "{}")}) {
    const auto got = client.send(peer, request);
    ASSERT_FALSE(got);
    EXPECT_EQ(got.error().code, Errc::Rejected);
    EXPECT_EQ(got.error().cause, "bmc.certificate_changed");
    EXPECT_FALSE(got.error().outcomeUnknown);
  }
  EXPECT_EQ(visits, 1) << "only the request before the pin";
}

TEST(Pin, NoticesThatTheServerCameBackWithAnotherKey) {
  auto server = serve(tlsOptions(), counting(noVisits));
  const auto address = server->addresses()[0];
  Client client;
  auto peer = tlsPeer(address);
  peer.pin = client.send(peer, get())->pin;
  ASSERT_TRUE(client.send(peer, get()));
  server.reset();
  auto options = tlsOptions({address});
  options.tls = listener::makeSelfSigned("bmc", {"127.0.0.1"});
  server = serve(options, counting(noVisits));
  const auto got = client.send(peer, get());
  ASSERT_FALSE(got);
  EXPECT_EQ(got.error().cause, "bmc.certificate_changed");
  peer.pin.clear();
  EXPECT_EQ(client.send(peer, get())->pin, *listener::spkiPin(options.tls->certificatePem));
}

TEST(Pin, NoticesANewCertificateOnOneAddressOfMany) {
  const auto server = serve(tlsOptions({{"127.0.3.1", 0}, {"127.0.3.2", 0}}), counting(noVisits));
  Client client;
  auto reset = tlsPeer(server->addresses()[0]), other = tlsPeer(server->addresses()[1]);
  reset.pin = other.pin = client.send(reset, get())->pin;
  ASSERT_TRUE(server->present(server->addresses()[0], listener::makeSelfSigned("bmc", {})));
  EXPECT_EQ(client.send(reset, post("/", "{}")).error().cause, "bmc.certificate_changed");
  EXPECT_TRUE(client.send(other, post("/", "{}")));
}

TEST(CertificateAuthority, IsCheckedBesideThePinAndBeforeAnythingIsSent) {
  std::atomic<int> visits = 0;
  auto options = tlsOptions();
  options.tls = listener::makeSelfSigned("bmc-7", {"bmc-7.example", "127.0.0.1"});
  const auto server = serve(options, counting(visits));
  Client client;
  auto peer = tlsPeer(server->addresses()[0]);
  {
    const PemFile ca("zellige-ca-", options.tls->certificatePem);
    peer.caFile = ca.path();
    EXPECT_TRUE(client.send(peer, get())) << "no name is checked";
    peer.serverName = "bmc-7.example";
    const auto named = client.send(peer, get());
    EXPECT_TRUE(named) << named.error().what;
    peer.serverName = "bmc-8.example";
    EXPECT_EQ(client.send(peer, get()).error().cause, "bmc.certificate_untrusted");
  }
  const PemFile wrong("zellige-other-ca-", identity().certificatePem);
  peer.serverName.clear();
  peer.caFile = wrong.path();
  const auto got = client.send(peer, post("/", "{}"));
  ASSERT_FALSE(got);
  EXPECT_EQ(got.error().cause, "bmc.certificate_untrusted");
  EXPECT_FALSE(got.error().outcomeUnknown);
  EXPECT_EQ(visits, 2);
  peer.caFile = "/nowhere/ca.pem";
  EXPECT_EQ(client.send(peer, get()).error().code, Errc::Invalid);
}

}  // namespace
}  // namespace zellige::test
