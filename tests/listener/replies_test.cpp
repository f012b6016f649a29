// How replies end: well, late, oddly, never; streams; files; and the end of the server.
#include <filesystem>
#include <fstream>

#include "tests/drivers/http/loopback.hpp"

namespace zellige::test {
namespace {

using listener::ReplyEnding;
using listener::Stream;

HttpRequest request(ReplyEnding ending) { return get("/" + std::to_string(static_cast<int>(ending))); }

/// Ends as the target says.
void endAsAsked(std::shared_ptr<Exchange> exchange) {
  const auto ending = static_cast<ReplyEnding>(exchange->request.target[1] - '0');
  exchange->respond(reply(200, std::to_string(exchange->connection.id)), ending);
}

TEST(Reply, MayEndOddlyWithoutDisturbingOthers) {
  const auto server = serve(tlsOptions(), endAsAsked);
  Client client, other;
  const auto peer = tlsPeer(server->addresses()[0]);
  const auto kept = other.send(peer, request(ReplyEnding::Complete))->reply.body;
  const auto closed = client.send(peer, request(ReplyEnding::CloseAfterReply));
  ASSERT_TRUE(closed);
  EXPECT_EQ(closed->reply.headers.get("Connection"), "close");
  EXPECT_NE(client.send(peer, request(ReplyEnding::Complete))->reply.body, closed->reply.body);
  EXPECT_FALSE(client.send(peer, request(ReplyEnding::CutShort)));
  EXPECT_FALSE(client.send(peer, request(ReplyEnding::CloseBeforeReply)));
  EXPECT_EQ(other.send(peer, request(ReplyEnding::Complete))->reply.body, kept);
}

TEST(Reply, CutShortDeclaresTheWholeLength) {
  const auto server = serve(plainOptions(), [](auto exchange) {
    exchange->respond(reply(200, std::string(1'000, 'x')), ReplyEnding::CutShort);
  });
  Socket socket(server->addresses()[0]);
  socket.write("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
  const auto all = socket.readAll();
  EXPECT_NE(all.find("Content-Length: 1000\r\n"), std::string::npos);
  EXPECT_EQ(all.size() - all.find("\r\n\r\n") - 4, 500u);
}

TEST(Reply, MayBeDelayedWhileOthersAreNot) {
  const auto server = serve(tlsOptions(), [](auto exchange) {
    const bool slow = exchange->request.target == "/slow";
    exchange->respond(reply(200, ""), ReplyEnding::Complete, slow ? Duration{2'000} : Duration{0});
  });
  Client client;
  const auto begun = std::chrono::steady_clock::now();
  auto slow = client.begin(tlsPeer(server->addresses()[0]), get("/slow"));
  EXPECT_TRUE(client.send(tlsPeer(server->addresses()[0]), get("/fast")));
  EXPECT_EQ(slow.wait_for(0s), std::future_status::timeout);
  EXPECT_TRUE(slow.get());
  EXPECT_GE(std::chrono::steady_clock::now() - begun, 2s);
}

TEST(Reply, IsA500WhenTheHandlerLetsGo) {
  const auto server = serve(tlsOptions(), [](auto) {});
  Client client;
  EXPECT_EQ(client.send(tlsPeer(server->addresses()[0]), get())->reply.status, 500);
}

TEST(Reply, CountsOnceAndMayComeFromAnyThreadOrTooLate) {
  std::promise<std::shared_ptr<Exchange>> arrived;
  auto server = serve(tlsOptions(), [&](auto exchange) { arrived.set_value(std::move(exchange)); });
  Client client;
  auto answer = client.begin(tlsPeer(server->addresses()[0]), get());
  auto exchange = arrived.get_future().get();
  exchange->respond(reply(201, "first"));
  exchange->respond(reply(202, "second"));
  EXPECT_EQ(answer.get()->reply.status, 201);
  auto stream = exchange->openStream(reply(200, ""));
  EXPECT_FALSE(stream.write("third"));
  server.reset();
  exchange->respond(reply(203, "nobody is there"));
  exchange.reset();
}

TEST(Reply, MayBeAPieceOfAFile) {
  const auto path = std::filesystem::temp_directory_path() / ("zellige-file-" + std::to_string(::getpid()));
  std::string content(3'000'000, '\0');
  for (std::size_t i = 0; i < content.size(); ++i) content[i] = static_cast<char>(i * 31 + i / 251);
  std::ofstream(path, std::ios::binary) << content;
  const auto server = serve(tlsOptions(), [&](auto exchange) {
    const auto& target = exchange->request.target;
    if (target == "/part") exchange->respondFile(reply(206, ""), path, 1'000, 2'000'001);
    if (target == "/beyond") exchange->respondFile(reply(200, ""), path, 0, content.size() + 1);
    if (target == "/none") exchange->respondFile(reply(200, ""), "/nowhere", 0, 10);
  });
  Client client;
  const auto peer = tlsPeer(server->addresses()[0]);
  const auto part = client.send(peer, get("/part"));
  ASSERT_TRUE(part) << part.error().what;
  EXPECT_TRUE(part->reply.body == content.substr(1'000, 2'000'001));
  EXPECT_EQ(client.send(peer, get("/none"))->reply.status, 404);
  const auto beyond = client.send(peer, get("/beyond"));
  ASSERT_FALSE(beyond) << "a file shorter than promised must not look whole";
  EXPECT_EQ(beyond.error().code, Errc::BadReply);
  auto head = get("/part");
  head.method = "HEAD";
  const auto only = client.send(peer, head);
  ASSERT_TRUE(only);
  EXPECT_EQ(only->reply.headers.get("Content-Length"), "2000001");
  std::filesystem::remove(path);
}

/// Collects the streams that are opened on it.
class Streams {
 public:
  listener::Handler handler() {
    return [this](std::shared_ptr<Exchange> exchange) {
      auto head = reply(200, "");
      head.headers.add("Content-Type", "text/event-stream");
      const std::lock_guard lock(mutex_);
      open_.push_back(exchange->openStream(head));
      changed_.notify_all();
    };
  }
  std::vector<Stream> waitFor(std::size_t count) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return open_.size() >= count; });
    return std::exchange(open_, {});
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<Stream> open_;
};

TEST(Stream, TwoHundredAtOnceGetEveryEventInOrder) {
  Streams streams;
  const auto server = serve(tlsOptions(), streams.handler());
  Client client;
  std::vector<std::future<Result<http::Received>>> readers;
  for (int i = 0; i < 200; ++i)
    readers.push_back(client.begin(tlsPeer(server->addresses()[0]), get("/events")));
  auto open = streams.waitFor(200);
  std::string expected;
  for (int event = 0; event < 20; ++event) {
    const auto text = "id: " + std::to_string(event) + "\ndata: x\n\n";
    expected += text;
    for (const auto& stream : open) EXPECT_TRUE(stream.write(text));
  }
  open.clear();  // the last copies: the streams end
  for (auto& reader : readers) {
    const auto got = reader.get();
    ASSERT_TRUE(got) << got.error().what;
    EXPECT_EQ(got->reply.body, expected);
    EXPECT_EQ(got->reply.headers.get("Content-Type"), "text/event-stream");
  }
}

TEST(Stream, DropsAReaderThatDoesNotRead) {
  Streams streams;
  auto options = plainOptions();
  options.maxStreamBytes = 64u << 10;
  const auto server = serve(options, streams.handler());
  Socket lazy(server->addresses()[0]);
  lazy.write("GET /events HTTP/1.1\r\nHost: h\r\n\r\n");
  auto stream = streams.waitFor(1)[0];
  const std::string event(8'000, 'x');
  std::size_t written = 0;
  while (stream.write(event)) ASSERT_LT(written += event.size(), 100u << 20);  // more than any socket buffer
  EXPECT_TRUE(stream.closed());
  EXPECT_TRUE(lazy.closedWithin(120s));
  EXPECT_FALSE(stream.write(event));
}

TEST(Stream, NoticesAReaderThatLeaves) {
  Streams streams;
  const auto server = serve(plainOptions(), streams.handler());
  auto reader = std::make_unique<Socket>(server->addresses()[0]);
  reader->write("GET /events HTTP/1.1\r\nHost: h\r\n\r\n");
  auto stream = streams.waitFor(1)[0];
  EXPECT_TRUE(stream.write("data: 1\n\n"));
  EXPECT_NE(reader->readUntil("data: 1").find("Transfer-Encoding: chunked"), std::string::npos);
  reader.reset();
  while (!stream.closed()) std::this_thread::yield();
  EXPECT_EQ(server->connectionCount(), 0u);
}

TEST(Stop, LetsAnswersInFlightFinishAndEndsStreams) {
  std::promise<std::shared_ptr<Exchange>> arrived, streaming;
  auto server = serve(tlsOptions(), [&](auto exchange) {
    (exchange->request.target == "/late" ? arrived : streaming).set_value(std::move(exchange));
  });
  const auto peer = tlsPeer(server->addresses()[0]);
  Client client;
  auto late = client.begin(peer, get("/late")), events = client.begin(peer, get("/events"));
  auto exchange = arrived.get_future().get();
  auto stream = streaming.get_future().get()->openStream(reply(200, ""));
  EXPECT_TRUE(stream.write("data: 1\n\n"));
  std::thread stopper([&] { server->stop(120s); });
  EXPECT_EQ(events.get()->reply.body, "data: 1\n\n") << "the stream was ended properly";
  exchange->respond(reply(200, "late"));
  exchange.reset();
  EXPECT_EQ(late.get()->reply.body, "late");
  client.destroyTransport();
  stopper.join();
  EXPECT_TRUE(stream.closed());
  EXPECT_LT(Socket(server->addresses()[0]).descriptor(), 0) << "nobody listens";
}

TEST(Stop, ClosesWhatDoesNotFinishInItsGrace) {
  std::promise<std::shared_ptr<Exchange>> arrived;
  auto server = serve(tlsOptions(), [&](auto exchange) { arrived.set_value(std::move(exchange)); });
  Client client;
  auto never = client.begin(tlsPeer(server->addresses()[0]), get());
  const auto exchange = arrived.get_future().get();
  server->stop(50ms);
  EXPECT_EQ(never.get().error().code, Errc::Unreachable);
}

}  // namespace
}  // namespace zellige::test
