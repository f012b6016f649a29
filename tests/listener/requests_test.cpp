// What the listener takes for a request, and what it does with everything else.
#include <set>

#include "tests/drivers/http/loopback.hpp"

namespace zellige::test {
namespace {

/// "METHOD target|body length|index on the connection|connection id"
void tell(std::shared_ptr<Exchange> exchange) {
  const auto& request = exchange->request;
  exchange->respond(reply(200, request.method + ' ' + request.target + '|' + request.body + '|' +
                                   std::to_string(exchange->connection.request)));
}

std::string talk(const HttpsServer& server, std::string_view bytes) {
  Socket socket(server.addresses()[0]);
  socket.write(bytes);
  ::shutdown(socket.descriptor(), SHUT_WR);
  return socket.readAll();
}

TEST(Listener, AnswersPipelinedRequestsInOrder) {
  const auto server = serve(plainOptions(), tell);
  Socket socket(server->addresses()[0]);
  std::string many;
  for (int i = 0; i < 50; ++i)
    many += "POST /" + std::to_string(i) + " HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n\r\nab";
  socket.write(many);
  std::string all;
  while (all.find("/49|ab|49") == std::string::npos) {
    const auto more = socket.readUntil("|ab|");
    ASSERT_FALSE(more.empty()) << all;
    all += more;
    if (all.ends_with("/49|ab|")) all += socket.readUntil("49");
  }
  std::size_t at = 0;
  for (int i = 0; i < 50; ++i) {
    const auto next = all.find("POST /" + std::to_string(i) + "|ab|" + std::to_string(i), at);
    ASSERT_NE(next, std::string::npos) << i;
    at = next;
  }
}

TEST(Listener, TakesARequestThatComesByteByByte) {
  const auto server = serve(plainOptions(), tell);
  Socket socket(server->addresses()[0]);
  const std::string_view request =
      "PATCH /x HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: "
      "chunked\r\n\r\n3\r\nabc\r\n4;x=y\r\ndefg\r\n0\r\n\r\n";
  const int on = 1;
  ::setsockopt(socket.descriptor(), IPPROTO_TCP, 1 /* TCP_NODELAY */, &on, sizeof on);
  for (const char c : request) ASSERT_TRUE(socket.write({&c, 1}));
  EXPECT_NE(socket.readUntil("|abcdefg|0").find("PATCH /x|abcdefg|0"), std::string::npos);
}

TEST(Listener, RefusesWhatTwoServersCouldReadInTwoWays) {
  std::atomic<int> visits = 0;
  auto options = plainOptions();
  const auto server = serve(options, [&](auto exchange) {
    ++visits;
    tell(exchange);
  });
  struct Case {
    std::string_view scenario, bytes, status;
  };
  const std::string longChunkExtension =
      "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n1;" + std::string(40'000, 'x');
  const Case cases[] = {
      {"both lengths",
       "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
       "400"},
      {"both, other order",
       "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n0\r\n\r\n",
       "400"},
      {"two lengths", "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab", "400"},
      {"the same length twice",
       "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\na", "400"},
      {"list of lengths", "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 1, 1\r\n\r\na", "400"},
      {"negative length", "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: -1\r\n\r\n", "400"},
      {"length with a plus", "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: +1\r\n\r\na", "400"},
      {"unknown coding", "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: gzip\r\n\r\n", "400"},
      {"coding twice", "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n",
       "400"},
      {"coding in two headers",
       "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
       "400"},
      {"bad chunk size", "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", "400"},
      {"huge chunk size",
       "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\nfffffffffffffffff\r\n", "400"},
      {"chunk longer than said",
       "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nab\r\n0\r\n\r\n", "400"},
      {"endless chunk extension", longChunkExtension, "400"},
      {"space before the colon", "GET / HTTP/1.1\r\nHost: h\r\nContent-Length : 1\r\n\r\na", "400"},
      {"folded header", "GET / HTTP/1.1\r\nHost: h\r\nX-A: b\r\n c\r\n\r\n", "400|200"},
      {"no host", "GET / HTTP/1.1\r\n\r\n", "400"},
      {"two hosts", "GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", "400"},
      {"absolute target", "GET http://h/ HTTP/1.1\r\nHost: h\r\n\r\n", "400"},
      {"no target", "GET  HTTP/1.1\r\nHost: h\r\n\r\n", "400"},
      {"bare line feeds", "GET / HTTP/1.1\nHost: h\n\n", "400"},
      {"not HTTP", "\x16\x03\x01\x02\x01\x01\xfc\x03\x03", "400"},
      {"an older HTTP", "GET / HTTP/1.0\r\nHost: h\r\n\r\n", "505"},
      {"a newer HTTP", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "400|505"},
  };
  for (const auto& c : cases) {
    const auto before = visits.load();
    const auto answer = talk(*server, c.bytes);
    ASSERT_TRUE(answer.starts_with("HTTP/1.1 ")) << c.scenario << ": " << answer;
    EXPECT_NE(c.status.find(answer.substr(9, 3)), std::string_view::npos) << c.scenario << ": " << answer;
    if (answer.substr(9, 3) == "200") continue;
    EXPECT_NE(answer.find("Connection: close"), std::string::npos) << c.scenario;
    EXPECT_EQ(visits, before) << c.scenario;
  }
  EXPECT_NE(talk(*server, "GET /fine HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n").find("GET /fine||0"),
            std::string::npos);
}

TEST(Listener, LimitsHeadersAndBodies) {
  auto options = plainOptions();
  options.maxBodyBytes = 1'000;
  const auto server = serve(options, tell);
  EXPECT_TRUE(talk(*server, "GET / HTTP/1.1\r\nHost: h\r\nX: " + std::string(20'000, 'x') + "\r\n\r\n")
                  .starts_with("HTTP/1.1 431"));
  EXPECT_TRUE(talk(*server, "GET / HTTP/1.1\r\nHost: h\r\nX: " + std::string(15'000, 'x') +
                                "\r\nConnection: close\r\n\r\n")
                  .starts_with("HTTP/1.1 200"));
  EXPECT_TRUE(
      talk(*server, "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 1001\r\n\r\n").starts_with("HTTP/1.1 413"));
  EXPECT_TRUE(talk(*server, "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n3e9\r\n" +
                                std::string(1'001, 'x') + "\r\n0\r\n\r\n")
                  .starts_with("HTTP/1.1 413"));
}

TEST(Listener, JudgesABodyByTheHeadBeforeAnyOfItIsKept) {
  auto options = plainOptions();
  std::atomic<int> heads = 0, visits = 0;
  options.allowBody = [&](const HttpRequest& head) -> listener::BodyAllowance {
    ++heads;
    EXPECT_TRUE(head.body.empty());
    if (head.headers.get("Authorization") == "Bearer known") return {200'000, 413};
    return {10, 401};
  };
  const auto server = serve(options, [&](auto exchange) {
    ++visits;
    tell(exchange);
  });
  const auto put = [&](const std::string& headers, const std::string& body) {
    return talk(*server, "PUT /f HTTP/1.1\r\nHost: h\r\nConnection: close\r\n" + headers + "\r\n\r\n" + body);
  };
  const std::string large(150'000, 'x');
  EXPECT_TRUE(
      put("Authorization: Bearer known\r\nContent-Length: 150000", large).starts_with("HTTP/1.1 200"));
  EXPECT_TRUE(put("Content-Length: 10", "0123456789").starts_with("HTTP/1.1 200"));
  EXPECT_EQ(visits, 2);
  const auto refused = put("Content-Length: 11", "");
  EXPECT_TRUE(refused.starts_with("HTTP/1.1 401")) << refused;
  EXPECT_NE(refused.find("WWW-Authenticate: Bearer"), std::string::npos);
  EXPECT_TRUE(put("Transfer-Encoding: chunked", "b\r\n0123456789a\r\n0\r\n\r\n").starts_with("HTTP/1.1 401"));
  EXPECT_TRUE(
      put("Transfer-Encoding: chunked", "6\r\n012345\r\n6\r\n012345\r\n0\r\n\r\n").starts_with("HTTP/1.1 401"));
  EXPECT_TRUE(put("Authorization: Bearer known\r\nContent-Length: 200001", "").starts_with("HTTP/1.1 413"));
  // Who asks before sending is told before sending.
  EXPECT_TRUE(put("Content-Length: 11\r\nExpect: 100-continue", "").starts_with("HTTP/1.1 401"));
  EXPECT_EQ(visits, 2);
  const auto judged = heads.load();
  EXPECT_TRUE(
      talk(*server, "GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n").starts_with("HTTP/1.1 200"));
  EXPECT_EQ(heads, judged) << "without a body there is nothing to judge";
}

TEST(Listener, A413ReachesAClientThatIsStillSending) {
  auto options = tlsOptions();
  options.maxBodyBytes = 1'000;
  const auto server = serve(options, tell);
  Client client;
  const auto got = client.send(tlsPeer(server->addresses()[0]), post("/", std::string(300'000, 'x')));
  ASSERT_TRUE(got) << got.error().what;
  EXPECT_EQ(got->reply.status, 413);
}

TEST(Listener, AnswersSlowRequestsWith408AndCloses) {
  auto options = plainOptions();
  options.headerTimeout = 200ms;
  options.bodyTimeout = 200ms;
  const auto server = serve(options, tell);
  for (const std::string_view begin :
       {"GET / HTTP/1.1\r\nHost: h\r\nX: ", "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 100000\r\n\r\n"}) {
    Socket socket(server->addresses()[0]);
    socket.write(begin);
    while (!socket.closedWithin(10ms) && socket.write("x")) {
    }
    EXPECT_TRUE(socket.readAll().starts_with("HTTP/1.1 408")) << begin;
  }
}

TEST(Listener, ClosesConnectionsThatIdleOrNeverShakeHands) {
  auto options = tlsOptions();
  options.headerTimeout = 150ms;
  const auto server = serve(options, tell);
  Socket silent(server->addresses()[0]);
  EXPECT_TRUE(silent.closedWithin(120s)) << "no TLS handshake";
  options = plainOptions();
  options.idleTimeout = 1s;
  const auto other = serve(options, tell);
  Socket idle(other->addresses()[0]);
  idle.write("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
  EXPECT_NE(idle.readUntil("||0").find("200 OK"), std::string::npos);
  EXPECT_TRUE(idle.closedWithin(120s));
  EXPECT_EQ(other->connectionCount(), 0u);
}

TEST(Listener, SendsAContinueToWhoWaitsForIt) {
  const auto server = serve(plainOptions(), tell);
  Socket socket(server->addresses()[0]);
  socket.write("PUT /f HTTP/1.1\r\nHost: h\r\nContent-Length: 4\r\nExpect: 100-continue\r\n\r\n");
  EXPECT_EQ(socket.readUntil("\r\n\r\n"), "HTTP/1.1 100 Continue\r\n\r\n");
  socket.write("body");
  EXPECT_NE(socket.readUntil("|body|0").find("200 OK"), std::string::npos);
}

TEST(Listener, AnswersHeadAndBodilessStatusesWithoutABody) {
  const auto server = serve(plainOptions(), [](auto exchange) {
    auto answer = reply(exchange->request.target == "/none" ? 204 : 200, "12345");
    answer.headers.add("Content-Length", "99");
    answer.headers.add("X-Split", "a\r\nX-Injected: b");
    exchange->respond(answer);
  });
  const auto head = talk(*server, "HEAD / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
  EXPECT_NE(head.find("Content-Length: 5\r\n"), std::string::npos);
  EXPECT_TRUE(head.ends_with("\r\n\r\n"));
  EXPECT_EQ(head.find("99"), std::string::npos) << "the length is the server's to say";
  EXPECT_EQ(head.find("\r\nX-Injected"), std::string::npos);
  const auto none = talk(*server, "GET /none HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
  EXPECT_EQ(none.find("Content-Length"), std::string::npos);
  EXPECT_TRUE(none.ends_with("\r\n\r\n"));
}

TEST(Listener, AcceptsAndClosesBeyondItsConnections) {
  auto options = plainOptions();
  options.maxConnections = 3;
  const auto server = serve(options, tell);
  std::vector<Socket> sockets;
  for (int i = 0; i < 3; ++i) {
    sockets.emplace_back(server->addresses()[0]);
    sockets.back().write("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
    EXPECT_NE(sockets.back().readUntil("||0").find("200 OK"), std::string::npos);
  }
  Socket fourth(server->addresses()[0]);
  EXPECT_TRUE(fourth.closedWithin(120s));
  EXPECT_EQ(server->connectionCount(), 3u);
}

TEST(Listener, RunsItsHandlerOnEveryThreadItHas) {
  auto options = tlsOptions();
  options.threads = 3;
  std::mutex mutex;
  std::set<std::thread::id> threads;
  const auto server = serve(options, [&](auto exchange) {
    {
      const std::lock_guard lock(mutex);
      threads.insert(std::this_thread::get_id());
    }
    exchange->respond(reply(200, ""));
  });
  Client client;
  for (int i = 0; i < 6; ++i) ASSERT_TRUE(client.send(tlsPeer(server->addresses()[0]), post("/", "")));
  EXPECT_EQ(threads.size(), 3u);
}

}  // namespace
}  // namespace zellige::test
