// Which connection a request takes, and what a failure of it means.
#include <gtest/gtest.h>

#include <set>

#include "tests/drivers/http/loopback.hpp"

namespace zellige::test {
namespace {

using listener::ReplyEnding;

/// Answers with the id of the connection.
void tellConnection(std::shared_ptr<Exchange> exchange) {
  exchange->respond(reply(200, std::to_string(exchange->connection.id)));
}

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
  std::set<std::string> seen;
  seen.insert(client.send(peer, get())->reply.body);
  for (const auto* method : {"POST", "PATCH", "PUT", "DELETE"}) {
    auto request = post("/x", "{}");
    request.method = method;
    seen.insert(client.send(peer, request)->reply.body);
  }
  EXPECT_EQ(seen.size(), 5u);
  EXPECT_EQ(client.send(peer, get())->reply.body, *seen.begin()) << "the GET's connection is still there";
}

}  // namespace
}  // namespace zellige::test
