// Addresses that go down and come back, and who a server says it is.
#include <openssl/ssl.h>

#include <filesystem>
#include <fstream>

#include "tests/drivers/http/loopback.hpp"

namespace zellige::test {
namespace {

void tellAddress(std::shared_ptr<Exchange> exchange) {
  exchange->respond(reply(200, exchange->connection.local.ip + ' ' + std::to_string(exchange->connection.id)));
}

TEST(AddressGate, RefusesOneAddressAndOpensItAgainOnTheSamePort) {
  const auto server = serve(tlsOptions({{"127.0.4.1", 0}, {"127.0.4.2", 0}}), tellAddress);
  const auto down = server->addresses()[0], up = server->addresses()[1];
  Client client;
  const auto before = client.send(tlsPeer(down), get()), other = client.send(tlsPeer(up), get());
  ASSERT_TRUE(before && other);
  EXPECT_TRUE(before->reply.body.starts_with("127.0.4.1 "));
  EXPECT_TRUE(other->reply.body.starts_with("127.0.4.2 "));
  for (int round = 0; round < 3; ++round) {
    ASSERT_TRUE(server->refuse(down, true));
    EXPECT_LT(Socket(down).descriptor(), 0) << "connected";
    const auto refused = client.send(tlsPeer(down), post("/", "{}"));
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, Errc::Unreachable);
    EXPECT_FALSE(refused.error().outcomeUnknown);
    EXPECT_EQ(client.send(tlsPeer(up), get())->reply.body, other->reply.body) << "kept its connection";
    ASSERT_TRUE(server->refuse(down, false));
    const auto back = client.send(tlsPeer(down), get());
    ASSERT_TRUE(back) << back.error().what;
    EXPECT_NE(back->reply.body, before->reply.body) << "the old connection was closed";
  }
  EXPECT_EQ(server->refuse({"127.0.4.9", 1}, true).error().code, Errc::NotFound);
}

TEST(AddressGate, MayBeUsedByTheHandlerOnItsOwnConnection) {
  std::unique_ptr<HttpsServer> server;
  std::promise<void> ready;
  auto started = ready.get_future().share();
  server = serve(tlsOptions(), [&, started](auto exchange) {
    started.wait();
    EXPECT_TRUE(server->refuse(exchange->connection.local, true));
    exchange->respond(reply(200, "too late"));
  });
  ready.set_value();
  Client client;
  const auto got = client.send(tlsPeer(server->addresses()[0]), post("/reset", ""));
  ASSERT_FALSE(got);
  EXPECT_TRUE(got.error().outcomeUnknown);
  EXPECT_LT(Socket(server->addresses()[0]).descriptor(), 0);
}

TEST(AddressGate, ServesAThousandAddresses) {
  std::vector<ListenAddress> addresses;
  for (int i = 0; i < 1'000; ++i)
    addresses.push_back({"127.1." + std::to_string(i / 250) + '.' + std::to_string(i % 250 + 1), 0});
  const auto server = serve(plainOptions(addresses), tellAddress);
  Client client;
  for (const auto i : {0, 1, 249, 250, 999}) {
    const auto& address = server->addresses()[static_cast<std::size_t>(i)];
    EXPECT_NE(address.port, 0);
    EXPECT_TRUE(client.send(plainPeer(address), get())->reply.body.starts_with(address.ip + ' '));
  }
}

TEST(Start, SaysWhichAddressItCannotHave) {
  const auto server = serve(plainOptions(), tellAddress);
  const auto taken = HttpsServer::start(plainOptions({server->addresses()[0]}), tellAddress);
  ASSERT_FALSE(taken);
  EXPECT_EQ(taken.error().code, Errc::Invalid);
  EXPECT_NE(taken.error().what.find("127.0.0.1"), std::string::npos);
  EXPECT_EQ(HttpsServer::start(plainOptions({{"localhost", 0}}), tellAddress).error().code, Errc::Invalid);
  auto options = tlsOptions();
  options.tls->keyPem = listener::makeSelfSigned("other", {}).keyPem;
  EXPECT_EQ(HttpsServer::start(options, tellAddress).error().code, Errc::Invalid)
      << "a key that does not fit";
}

TEST(TlsIdentity, IsReadBackFromFiles) {
  const auto folder = std::filesystem::temp_directory_path() / ("zellige-tls-" + std::to_string(::getpid()));
  std::filesystem::create_directory(folder);
  const auto made = listener::makeSelfSigned("zellige", {"zellige.example", "10.0.0.1", "fd00::1"});
  std::ofstream(folder / "cert.pem") << made.certificatePem;
  std::ofstream(folder / "key.pem") << made.keyPem;
  const auto read = listener::loadTlsIdentity(folder / "cert.pem", folder / "key.pem");
  ASSERT_TRUE(read);
  EXPECT_EQ(read->certificatePem, made.certificatePem);
  EXPECT_TRUE(listener::serverContext(*read));
  EXPECT_EQ(*listener::spkiPin(read->certificatePem), *listener::spkiPin(made.certificatePem));
  EXPECT_NE(*listener::spkiPin(made.certificatePem),
            *listener::spkiPin(listener::makeSelfSigned("zellige", {}).certificatePem));
  EXPECT_FALSE(listener::loadTlsIdentity(folder / "cert.pem", folder / "none.pem"));
  EXPECT_FALSE(listener::spkiPin("not a certificate"));
  EXPECT_FALSE(listener::serverContext({"not a certificate", "nor a key"}));
  std::filesystem::remove_all(folder);
}

TEST(TlsIdentity, SpeaksNothingOlderThanTls12) {
  const auto server = serve(tlsOptions(), tellAddress);
  const std::shared_ptr<SSL_CTX> context(SSL_CTX_new(TLS_client_method()), SSL_CTX_free);
  const auto connects = [&](int version) {
    SSL_CTX_set_security_level(context.get(), 0);
    SSL_CTX_set_min_proto_version(context.get(), version);
    SSL_CTX_set_max_proto_version(context.get(), version);
    const std::shared_ptr<SSL> ssl(SSL_new(context.get()), SSL_free);
    Socket socket(server->addresses()[0]);
    SSL_set_fd(ssl.get(), socket.descriptor());
    return SSL_connect(ssl.get()) == 1;
  };
  EXPECT_FALSE(connects(TLS1_1_VERSION));
  EXPECT_TRUE(connects(TLS1_2_VERSION));
  EXPECT_TRUE(connects(TLS1_3_VERSION));
}

}  // namespace
}  // namespace zellige::test
