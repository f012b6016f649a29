// What every kind of failure is called, and whether the request may have been applied.
#include <cstdio>

#include "tests/drivers/http/loopback.hpp"

namespace zellige::test {
namespace {

using listener::ReplyEnding;

void expectFailure(const Result<http::Received>& got, Errc code, bool unknown, std::string_view scenario) {
  ASSERT_FALSE(got) << scenario;
  EXPECT_EQ(name(got.error().code), name(code)) << scenario << ": " << got.error().what;
  EXPECT_EQ(got.error().outcomeUnknown, unknown) << scenario << ": " << got.error().what;
}

struct Misbehaviour {
  std::string_view scenario;
  std::function<void(Socket&)> script;
  bool tls;
  Errc code;
  bool unknownForPost;
};

void readRequest(Socket& socket) { socket.readUntil("\r\n\r\n"); }

TEST(Outcome, IsUnknownOnceTheRequestHadBegunToLeave) {
  const Misbehaviour all[] = {
      {"closed before reading", [](Socket& s) { s.waitForBytes(); }, false, Errc::Unreachable, true},
      {"reset before reading",
       [](Socket& s) {
         s.waitForBytes();
         s.reset();
       },
       false, Errc::Unreachable, true},
      {"closed after reading", readRequest, false, Errc::Unreachable, true},
      {"silent after reading", [](Socket& s) { s.readAll(); }, false, Errc::Timeout, true},
      {"closed inside the head",
       [](Socket& s) {
         readRequest(s);
         s.write("HTTP/1.1 200 OK\r\nContent-");
       },
       false, Errc::BadReply, true},
      {"closed inside the body",
       [](Socket& s) {
         readRequest(s);
         s.write("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf");
       },
       false, Errc::BadReply, true},
      {"broken chunk",
       [](Socket& s) {
         readRequest(s);
         s.write("HTTP/1.1 401 Unauthorized\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nbody\r\n");
       },
       false, Errc::BadReply, true},
      {"not HTTP",
       [](Socket& s) {
         readRequest(s);
         s.write("SSH-2.0-dropbear\r\n\r\n");
       },
       false, Errc::BadReply, true},
      {"closed instead of a TLS handshake", [](Socket&) {}, true, Errc::Unreachable, false},
      {"text instead of a TLS handshake", [](Socket& s) { s.write("HTTP/1.1 400 Bad Request\r\n\r\n"); },
       true, Errc::Unreachable, false},
      {"silent in the TLS handshake", [](Socket& s) { s.readAll(); }, true, Errc::Unreachable, false},
  };
  for (const auto& m : all) {
    RawServer server(m.script);
    Client client;
    auto peer = plainPeer(server.address());
    peer.tls = m.tls;
    auto options = Client::patient();
    if (m.scenario.starts_with("silent")) options.timeout = options.connectTimeout = 300ms;
    expectFailure(client.send(peer, post("/act", "{}"), options), m.code, m.unknownForPost, m.scenario);
    expectFailure(client.send(peer, get(), options), m.code, false, m.scenario);
  }
}

TEST(Outcome, IsKnownWhenNobodyListens) {
  ListenAddress gone;
  {
    RawServer server([](Socket&) {});
    gone = server.address();
  }
  Client client;
  expectFailure(client.send(plainPeer(gone), post("/", "{}")), Errc::Unreachable, false, "plain");
  expectFailure(client.send(tlsPeer(gone), post("/", "{}")), Errc::Unreachable, false, "TLS");
}

TEST(Outcome, IsUnknownWhenATlsServerClosesWithoutOrInTheMiddleOfItsReply) {
  for (const auto ending : {ReplyEnding::CloseBeforeReply, ReplyEnding::CutShort}) {
    const auto server = serve(tlsOptions(), [ending](auto exchange) {
      exchange->respond(reply(200, std::string(10'000, 'x')), ending);
    });
    Client client;
    const auto peer = tlsPeer(server->addresses()[0]);
    const auto code = ending == ReplyEnding::CutShort ? Errc::BadReply : Errc::Unreachable;
    expectFailure(client.send(peer, post("/", "{}")), code, true, "POST");
    expectFailure(client.send(peer, get()), code, false, "GET");
  }
}

TEST(Outcome, KeepsTheStatusOfAReplyThatWasCutShort) {
  const auto server = serve(tlsOptions(), [](auto exchange) {
    exchange->respond(reply(503, std::string(100'000, 'x')), ReplyEnding::CutShort);
  });
  Client client;
  const auto got = client.send(tlsPeer(server->addresses()[0]), get());
  ASSERT_FALSE(got);
  EXPECT_EQ(got.error().httpStatus, 503);
}

TEST(Outcome, OneByteASecondEndsByTheWholeTimeout) {
  RawServer server([](Socket& socket) {
    readRequest(socket);
    socket.write("HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n");
    while (!socket.closedWithin(20ms) && socket.write("x")) {
    }
  });
  Client client;
  auto options = Client::patient();
  options.timeout = 400ms;
  expectFailure(client.send(plainPeer(server.address()), get(), options), Errc::Timeout, false, "drip");
}

TEST(Outcome, ARedirectIsAReplyLikeAnyOther) {
  std::atomic<int> visits = 0;
  const auto server = serve(tlsOptions(), [&](auto exchange) {
    ++visits;
    auto moved = reply(302, "");
    moved.headers.add("Location",
                      "https://127.0.0.1:" + std::to_string(exchange->connection.local.port) + "/other");
    exchange->respond(moved);
  });
  Client client;
  const auto got = client.send(tlsPeer(server->addresses()[0]), get());
  ASSERT_TRUE(got) << got.error().what;
  EXPECT_EQ(got->reply.status, 302);
  EXPECT_NE(got->reply.headers.get("Location"), "");
  EXPECT_EQ(visits, 1);
}

TEST(Outcome, ABodyBeyondTheCapIsABadReply) {
  const auto server = serve(
      tlsOptions(), [](auto exchange) { exchange->respond(reply(200, std::string(100u << 20, 'x'))); });
  Client client;
  auto options = Client::patient();
  options.maxReplyBytes = 1u << 20;
  expectFailure(client.send(tlsPeer(server->addresses()[0]), get(), options), Errc::BadReply, false,
                "100 MiB");
}

TEST(Outcome, TakesAHundredMebibytesWhenAsked) {
  std::string body(100u << 20, 'x');
  for (std::size_t i = 0; i < body.size(); i += 4096) body[i] = static_cast<char>('a' + i / 4096 % 26);
  const auto server = serve(tlsOptions(), [&](auto exchange) { exchange->respond(reply(200, body)); });
  Client client;
  auto options = Client::patient();
  options.maxReplyBytes = body.size();
  const auto got = client.send(tlsPeer(server->addresses()[0]), get(), options);
  ASSERT_TRUE(got) << got.error().what;
  EXPECT_TRUE(got->reply.body == body);
}

TEST(Outcome, HeadersBeyondTheCapAreABadReply) {
  const auto server = serve(plainOptions(), [](auto exchange) {
    auto fat = reply(200, "");
    for (int i = 0; i < 100; ++i) fat.headers.add("X-Fat", std::string(1'000, 'x'));
    exchange->respond(fat);
  });
  Client client;
  expectFailure(client.send(plainPeer(server->addresses()[0]), get()), Errc::BadReply, false,
                "100 KB of headers");
}

TEST(Outcome, AContinueBeforeTheReplyIsNotTheReply) {
  RawServer server([](Socket& socket) {
    readRequest(socket);
    socket.write(
        "HTTP/1.1 100 Continue\r\nX-Not: this\r\n\r\nHTTP/1.1 202 Accepted\r\nX-Yes: a\r\n"
        "X-Yes:  b \r\nContent-Length: 2\r\n\r\nok");
    socket.readAll();
  });
  Client client;
  const auto got = client.send(plainPeer(server.address()), get());
  ASSERT_TRUE(got) << got.error().what;
  EXPECT_EQ(got->reply.status, 202);
  EXPECT_FALSE(got->reply.headers.has("X-Not"));
  std::vector<std::string> values;
  for (const auto& [key, value] : got->reply.headers)
    if (key == "X-Yes") values.push_back(value);
  EXPECT_EQ(values, (std::vector<std::string>{"a", "b"}));
}

TEST(Request, ArrivesAsItWasWritten) {
  HttpRequest seen;
  const auto server = serve(tlsOptions(), [&](auto exchange) {
    seen = exchange->request;
    exchange->respond(reply(204, ""));
  });
  Client client;
  for (const auto* method : {"GET", "HEAD", "POST", "PATCH", "PUT", "DELETE"}) {
    const std::string_view m = method;
    auto request = m == "GET" || m == "HEAD" || m == "DELETE" ? get() : post("", R"({"a":1})");
    request.method = method;
    request.target = "/redfish/v1/../v1//Systems?$expand=.($levels=1)&x=%2F";
    request.headers.add("X-Auth-Token", "secret");
    request.headers.add("X-Empty", "");
    const auto got = client.send(tlsPeer(server->addresses()[0]), request);
    ASSERT_TRUE(got) << method << got.error().what;
    EXPECT_EQ(got->reply.status, 204);
    EXPECT_EQ(seen.method, method);
    EXPECT_EQ(seen.target, request.target);
    EXPECT_EQ(seen.body, request.body);
    EXPECT_EQ(seen.headers.get("X-Auth-Token"), "secret");
    EXPECT_TRUE(seen.headers.has("X-Empty"));
    EXPECT_EQ(seen.headers.get("Content-Type"), request.headers.get("Content-Type"));
    EXPECT_EQ(seen.headers.get("Accept-Encoding"), "identity");
    EXPECT_FALSE(seen.headers.has("Expect"));
  }
}

TEST(Request, WithoutABodyDeclaresNoneOrZero) {
  HttpRequest seen;
  const auto server = serve(tlsOptions(), [&](auto exchange) {
    seen = exchange->request;
    exchange->respond(reply(200, "{}"));
  });
  Client client;
  auto empty = post("/Actions/Reset", "");
  ASSERT_TRUE(client.send(tlsPeer(server->addresses()[0]), empty));
  EXPECT_EQ(seen.headers.get("Content-Length"), "0");
  HttpRequest bare;
  bare.method = "POST";
  bare.body = "{}";
  ASSERT_TRUE(client.send(tlsPeer(server->addresses()[0]), bare));
  EXPECT_FALSE(seen.headers.has("Content-Type")) << "not libcurl's x-www-form-urlencoded";
}

TEST(Request, IsRefusedBeforeItIsSentWhenItIsMalformed) {
  std::atomic<int> visits = 0;
  const auto server = serve(tlsOptions(), [&](auto exchange) {
    ++visits;
    exchange->respond(reply(200, ""));
  });
  const auto good = tlsPeer(server->addresses()[0]);
  auto options = Client::plainToo();
  options.allowPlainHttp = false;
  Client client(options);
  const auto refused = [&](http::Peer peer, HttpRequest request) {
    const auto got = client.send(std::move(peer), std::move(request));
    return !got && got.error().code == Errc::Invalid && !got.error().outcomeUnknown;
  };
  auto peer = good;
  for (const auto* address :
       {"localhost", "example.org", "", "127.0.0.1@evil", "127.1", "[::1]", "fe80::1%lo"}) {
    peer.address = address;
    EXPECT_TRUE(refused(peer, get())) << address;
  }
  peer = good;
  peer.tls = false;
  EXPECT_TRUE(refused(peer, get())) << "plain HTTP";
  peer = good;
  peer.pin = "/etc/passwd";
  EXPECT_TRUE(refused(peer, get())) << "a pin that libcurl would take for a file";
  for (const auto* target : {"", "redfish", "/a b", "/a\r\nX: y", "http://elsewhere/"})
    EXPECT_TRUE(refused(good, get(target))) << target;
  auto request = get();
  request.headers.add("X-A", "b\r\nX-C: d");
  EXPECT_TRUE(refused(good, request)) << "header injection";
  request = get();
  request.body = "body";
  EXPECT_TRUE(refused(good, request)) << "GET with a body";
  request = get();
  request.method = "GE T";
  EXPECT_TRUE(refused(good, request)) << "method";
  EXPECT_EQ(visits, 0);
}

TEST(Request, IgnoresProxiesOfTheEnvironment) {
  ::setenv("https_proxy", "http://127.0.0.1:9", 1);
  ::setenv("ALL_PROXY", "http://127.0.0.1:9", 1);
  const auto server = serve(tlsOptions(), [](auto exchange) { exchange->respond(reply(200, "")); });
  Client client;
  const auto got = client.send(tlsPeer(server->addresses()[0]), get());
  ::unsetenv("https_proxy");
  ::unsetenv("ALL_PROXY");
  EXPECT_TRUE(got) << got.error().what;
}

}  // namespace
}  // namespace zellige::test
