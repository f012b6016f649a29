// Which connection a request takes, and what becomes of requests whose caller or transport goes away.
#include <set>

#include "tests/drivers/http/loopback.hpp"

namespace zellige::test {
namespace {

/// Answers with the id of the connection.
void tellConnection(std::shared_ptr<Exchange> exchange) {
  exchange->respond(reply(200, std::to_string(exchange->connection.id)));
}

/// Keeps exchanges unanswered, and tells how many there are.
class Shelf {
 public:
  listener::Handler handler() {
    return [this](std::shared_ptr<Exchange> exchange) {
      const std::lock_guard lock(mutex_);
      held_.push_back(std::move(exchange));
      changed_.notify_all();
    };
  }
  void waitFor(std::size_t count) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return held_.size() >= count; });
  }
  std::vector<std::shared_ptr<Exchange>> take() {
    const std::lock_guard lock(mutex_);
    return std::exchange(held_, {});
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<std::shared_ptr<Exchange>> held_;
};

TEST(CurlTransport, KeepsTheConnectionForGets) {
  const auto server = serve(tlsOptions(), tellConnection);
  Client client;
  const auto peer = tlsPeer(server->addresses()[0]);
  const auto first = client.send(peer, get()), second = client.send(peer, get());
  ASSERT_TRUE(first && second);
  EXPECT_EQ(first->reply.body, second->reply.body);
}

TEST(CurlTransport, NeverSendsAPostOnAKeptConnectionNorKeepsItsConnection) {
  const auto server = serve(tlsOptions(), tellConnection);
  Client client;
  const auto peer = tlsPeer(server->addresses()[0]);
  const auto kept = client.send(peer, get())->reply.body;
  std::set<std::string> seen{kept};
  for (const auto* method : {"POST", "PATCH", "PUT", "DELETE"}) {
    auto request = post("/x", "{}");
    request.method = method;
    const auto answer = client.send(peer, request);
    ASSERT_TRUE(answer) << answer.error().what;
    EXPECT_TRUE(seen.insert(answer->reply.body).second) << method << " used an earlier connection";
  }
  EXPECT_EQ(client.send(peer, get())->reply.body, kept) << "the GET's connection is still there";
}

TEST(CurlTransport, KeepsOneConnectionPerPeerForManyPeersAndClosesTheOldestBeyondItsCap) {
  std::vector<ListenAddress> addresses;
  for (int i = 0; i < 200; ++i) addresses.push_back({"127.0.2." + std::to_string(i + 1), 0});
  const auto server = serve(tlsOptions(addresses), tellConnection);
  auto options = Client::plainToo();
  options.shards = 2;
  options.maxConnectionsPerShard = 150;
  Client client(options);
  std::set<std::string> connections;
  for (int round = 0; round < 3; ++round) {
    std::vector<std::future<Result<http::Received>>> answers;
    for (const auto& address : server->addresses()) answers.push_back(client.begin(tlsPeer(address), get()));
    for (auto& answer : answers) {
      auto got = answer.get();
      ASSERT_TRUE(got) << got.error().what;
      connections.insert(got->reply.body);
    }
  }
  EXPECT_EQ(connections.size(), 200u) << "one per peer, in all three rounds";

  options.maxConnectionsPerShard = 10;
  Client frugal(options);
  for (const auto& address : server->addresses()) ASSERT_TRUE(frugal.send(tlsPeer(address), get()));
  client.destroyTransport();
  const auto again = frugal.send(tlsPeer(server->addresses()[0]), get());
  ASSERT_TRUE(again);
  EXPECT_EQ(connections.count(again->reply.body), 0u);
  EXPECT_GT(std::stoul(again->reply.body), 400u) << "its first connection had been closed for a younger one";
}

TEST(CurlTransport, RepeatsAGetWhoseKeptConnectionHadDiedButNoPost) {
  std::atomic<int> gets = 0, posts = 0;
  RawServer server([&](Socket& socket) {
    for (int requests = 0;; ++requests) {
      const auto head = socket.readUntil("\r\n\r\n");
      if (head.empty()) return;
      ++(head.starts_with("GET") ? gets : posts);
      if (requests > 0 || head.starts_with("POST")) return socket.reset();
      socket.write("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
    }
  });
  Client client;
  const auto peer = plainPeer(server.address());
  ASSERT_TRUE(client.send(peer, get()));
  const auto posted = client.send(peer, post("/", "{}"));
  ASSERT_FALSE(posted);
  EXPECT_TRUE(posted.error().outcomeUnknown);
  EXPECT_EQ(posts, 1);
  EXPECT_TRUE(client.send(peer, get()));
  EXPECT_EQ(gets, 3) << "the second GET met the dead connection first";
}

TEST(CurlTransport, EndsWithRequestsInFlight) {
  Shelf shelf;
  const auto server = serve(tlsOptions(), shelf.handler());
  Client client;
  const auto peer = tlsPeer(server->addresses()[0]);
  std::vector<std::future<Result<http::Received>>> answers;
  for (int i = 0; i < 20; ++i) answers.push_back(client.begin(peer, i % 2 ? get() : post("/x", "{}")));
  shelf.waitFor(20);
  client.destroyTransport();
  for (int i = 0; i < 20; ++i) {
    const auto answer = answers[static_cast<std::size_t>(i)].get();
    ASSERT_FALSE(answer);
    EXPECT_EQ(answer.error().code, Errc::Unreachable);
    EXPECT_EQ(answer.error().outcomeUnknown, i % 2 == 0);
  }
}

TEST(CurlTransport, ClosesTheConnectionOfACallerThatWentAway) {
  Shelf shelf;
  const auto server = serve(tlsOptions(), shelf.handler());
  Client client;
  auto answer = client.begin(tlsPeer(server->addresses()[0]), get());
  shelf.waitFor(1);
  client.abandonAll();
  const auto held = shelf.take();
  auto stream = held[0]->openStream(reply(200, ""));
  while (stream.write(": still there?\n\n"))
    std::this_thread::yield();  // a reader that is gone ends the stream
  EXPECT_TRUE(stream.closed());
  EXPECT_THROW(answer.get(), std::future_error) << "nobody may have been answered";
}

TEST(CurlTransport, LimitsHandshakesAndLetsKeptConnectionsPass) {
  RawServer silent([](Socket& socket) { socket.readAll(); });  // handshakes that never end
  const auto server = serve(tlsOptions(), tellConnection);
  auto options = Client::plainToo();
  options.maxHandshakes = 4;
  options.handshakeHold = 60s;
  Client client(options);
  const auto good = tlsPeer(server->addresses()[0]);
  ASSERT_TRUE(client.send(good, get()));
  auto patient = Client::patient();
  patient.connectTimeout = 300ms;
  const auto begun = std::chrono::steady_clock::now();
  std::vector<std::future<Result<http::Received>>> stuck;
  for (int i = 0; i < 12; ++i) stuck.push_back(client.begin(tlsPeer(silent.address()), get(), patient));
  EXPECT_TRUE(client.send(good, get())) << "a kept connection needs no slot";
  for (auto& answer : stuck) EXPECT_EQ(answer.get().error().code, Errc::Unreachable);
  EXPECT_GE(std::chrono::steady_clock::now() - begun, 900ms) << "three rounds of four, 300 ms each";
}

TEST(CurlTransport, GivesTheSlotsOfSilentPeersAway) {
  RawServer silent([](Socket& socket) { socket.readAll(); });
  const auto server = serve(tlsOptions(), tellConnection);
  auto options = Client::plainToo();
  options.maxHandshakes = 1;
  options.handshakeHold = 50ms;
  Client client(options);
  auto patient = Client::patient();
  patient.connectTimeout = 300s;
  auto stuck = client.begin(tlsPeer(silent.address()), get(), patient);
  const auto answer = client.send(tlsPeer(server->addresses()[0]), get());
  EXPECT_TRUE(answer) << "did not wait for the silent one's 300 s";
  EXPECT_EQ(stuck.wait_for(0s), std::future_status::timeout);
}

}  // namespace
}  // namespace zellige::test
