// The multipart push of a firmware file.
#include <filesystem>
#include <fstream>

#include "controller/base/digest.hpp"
#include "controller/base/random.hpp"
#include "tests/drivers/http/loopback.hpp"

namespace zellige::test {
namespace {

struct Part {
  std::string head, body;
};

std::vector<Part> partsOf(const HttpRequest& request) {
  const std::string type(request.headers.get("Content-Type"));
  const auto boundary = "--" + type.substr(type.find("boundary=") + 9);
  std::vector<Part> parts;
  auto at = request.body.find(boundary);
  for (;;) {
    const auto begin = at + boundary.size() + 2;
    const auto end = request.body.find("\r\n" + boundary, begin);
    if (end == std::string::npos) return parts;
    const auto cut = request.body.find("\r\n\r\n", begin);
    parts.push_back({request.body.substr(begin, cut - begin), request.body.substr(cut + 4, end - cut - 4)});
    at = end + 2;
  }
}

class Firmware {
 public:
  explicit Firmware(std::size_t size)
      : path_(std::filesystem::temp_directory_path() / ("zellige-fw-" + std::to_string(::getpid()) + ".bin")) {
    Random random(7);
    content_.reserve(size + 8);
    while (content_.size() < size) {
      const auto word = random.next();
      content_.append(reinterpret_cast<const char*>(&word), sizeof word);
    }
    content_.resize(size);
    std::ofstream(path_, std::ios::binary) << content_;
  }
  ~Firmware() { std::filesystem::remove(path_); }
  const std::filesystem::path& path() const { return path_; }
  const std::string& content() const { return content_; }

 private:
  std::filesystem::path path_;
  std::string content_;
};

TEST(Upload, ArrivesByteExactWithItsParametersAndALength) {
  const Firmware firmware(5'000'003);
  HttpRequest seen;
  auto options = tlsOptions();
  options.maxBodyBytes = 16u << 20;
  const auto server = serve(options, [&](auto exchange) {
    seen = exchange->request;
    exchange->respond(reply(202, R"({"Id":"1"})"));
  });
  Client client;
  HttpRequest request;
  request.method = "POST";
  request.target = "/redfish/v1/UpdateService/update-multipart";
  request.headers.add("X-Auth-Token", "t");
  request.headers.add("Content-Type", "application/json");  // must give way to the multipart one
  auto send = Client::patient();
  send.upload = http::Upload{R"({"Targets":["/redfish/v1/Chassis/HGX"]})", firmware.path(), "hgx \"1\".fwpkg"};
  const auto got = client.send(tlsPeer(server->addresses()[0]), request, send);
  ASSERT_TRUE(got) << got.error().what;
  EXPECT_EQ(got->reply.status, 202);
  EXPECT_EQ(seen.headers.get("Content-Length"), std::to_string(seen.body.size()));
  EXPECT_FALSE(seen.headers.has("Transfer-Encoding"));
  EXPECT_EQ(seen.headers.get("X-Auth-Token"), "t");
  const auto parts = partsOf(seen);
  ASSERT_EQ(parts.size(), 2u);
  EXPECT_NE(parts[0].head.find("name=\"UpdateParameters\""), std::string::npos);
  EXPECT_NE(parts[0].head.find("Content-Type: application/json"), std::string::npos);
  EXPECT_EQ(parts[0].body, send.upload->parameters);
  EXPECT_NE(parts[1].head.find("name=\"UpdateFile\""), std::string::npos);
  EXPECT_NE(parts[1].head.find("Content-Type: application/octet-stream"), std::string::npos);
  EXPECT_NE(parts[1].head.find("hgx"), std::string::npos);
  EXPECT_EQ(sha256Hex(parts[1].body), sha256Hex(firmware.content()));
}

TEST(Upload, WithoutParametersIsTheBareFile) {
  const Firmware firmware(3'000'001);
  HttpRequest seen;
  auto options = tlsOptions();
  options.maxBodyBytes = 16u << 20;
  const auto server = serve(options, [&](auto exchange) {
    seen = exchange->request;
    exchange->respond(reply(202, "{}"));
  });
  Client client;
  auto send = Client::patient();
  send.upload = http::Upload{{}, firmware.path(), "pmc.tar"};
  const auto got = client.send(tlsPeer(server->addresses()[0]), post("/redfish/v1/UpdateService/update", ""),
                               send);
  ASSERT_TRUE(got) << got.error().what;
  EXPECT_EQ(seen.headers.get("Content-Type"), "application/octet-stream");
  EXPECT_EQ(seen.headers.get("Content-Length"), std::to_string(firmware.content().size()));
  EXPECT_FALSE(seen.headers.has("Transfer-Encoding"));
  EXPECT_EQ(sha256Hex(seen.body), sha256Hex(firmware.content()));
}

TEST(Upload, LeavesNothingBehindOnThePooledHandle) {
  const Firmware firmware(100'000);
  std::vector<HttpRequest> seen;
  const auto server = serve(tlsOptions(), [&](auto exchange) {
    seen.push_back(exchange->request);
    exchange->respond(reply(200, "{}"));
  });
  Client client;
  const auto peer = tlsPeer(server->addresses()[0]);
  auto send = Client::patient();
  send.upload = http::Upload{"{}", firmware.path(), "fw.bin"};
  auto plain = send;
  plain.upload->parameters.clear();
  for (const auto& [request, options] :
       std::vector<std::pair<HttpRequest, http::SendOptions>>{{post("/up", ""), send},
                                                              {get("/a"), Client::patient()},
                                                              {post("/b", "body"), Client::patient()},
                                                              {post("/up", ""), send},
                                                              {post("/c", ""), Client::patient()},
                                                              {post("/up", ""), plain},
                                                              {post("/d", ""), Client::patient()}})
    ASSERT_TRUE(client.send(peer, request, options));
  ASSERT_EQ(seen.size(), 7u);
  EXPECT_EQ(seen[5].body.size(), firmware.content().size());
  EXPECT_TRUE(seen[6].body.empty());
  EXPECT_EQ(seen[1].method, "GET");
  EXPECT_TRUE(seen[1].body.empty());
  EXPECT_EQ(seen[2].body, "body");
  EXPECT_EQ(seen[2].headers.get("Content-Type"), "application/json");
  EXPECT_GT(seen[3].body.size(), 100'000u);
  EXPECT_TRUE(seen[4].body.empty());
}

TEST(Upload, OfAFileThatIsNotThereIsInvalidAndSendsNothing) {
  std::atomic<int> visits = 0;
  const auto server = serve(tlsOptions(), [&](auto exchange) {
    ++visits;
    exchange->respond(reply(200, ""));
  });
  Client client;
  for (const auto* file : {"/nowhere/fw.bin", "/tmp"}) {
    auto send = Client::patient();
    send.upload = http::Upload{"{}", file, "fw.bin"};
    const auto got = client.send(tlsPeer(server->addresses()[0]), post("/up", ""), send);
    ASSERT_FALSE(got);
    EXPECT_EQ(got.error().code, Errc::Invalid);
    EXPECT_FALSE(got.error().outcomeUnknown);
  }
  EXPECT_EQ(visits, 0);
}

TEST(Upload, CutOffByTheServerIsUnknown) {
  const Firmware firmware(5'000'000);
  RawServer server([](Socket& socket) {
    socket.readUntil("UpdateFile");
    socket.reset();
  });
  Client client;
  auto send = Client::patient();
  send.upload = http::Upload{"{}", firmware.path(), "fw.bin"};
  const auto got = client.send(plainPeer(server.address()), post("/up", ""), send);
  ASSERT_FALSE(got);
  EXPECT_TRUE(got.error().outcomeUnknown);
}

}  // namespace
}  // namespace zellige::test
