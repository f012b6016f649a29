// The controller as a process of its own: what it prints, refuses, keeps and answers when it starts and stops.
#include "controller/commands/serve.hpp"

#include <gmock/gmock.h>
#include <sys/stat.h>

#include <fstream>

#include "controller/commands/own_identity.hpp"
#include "tests/commands/controller.hpp"

namespace zellige::test {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;
using testing::Not;

TEST(Serve, AnswersWhatIsInFlightWhenItIsStopped) {
  const Directory directory;
  Controller controller(directory, true);
  controller.ready();
  Client client;
  const auto token = signIn(client, controller);
  auto poll = client.begin(controller.peer, request("GET", "/events?wait=30&after=1000000", {}, token));
  const Json words{{"user", "admin"}, {"password", "a longer secret"}};
  constexpr int kPeople = 6;
  std::vector<std::future<Result<http::Received>>> connecting, signing;
  for (int i = 0; i < kPeople; ++i)
    connecting.push_back(
        client.begin(controller.peer, request("GET", "/events?wait=1&after=1000000", {}, token)));
  for (auto& connected : connecting) ASSERT_TRUE(connected.get()) << "the handshakes are over";
  for (int i = 0; i < kPeople; ++i)
    signing.push_back(client.begin(controller.peer, request("POST", "/session", words, "")));
  // Passwords are looked at one after the other, each for a tenth of a second: the others are on their way by now.
  ASSERT_TRUE(signing.front().get());
  controller.stop();
  const auto polled = poll.get();
  ASSERT_TRUE(polled) << polled.error().what;
  EXPECT_EQ(polled->reply.status, 200) << "at once, without events: nobody waits for a controller that stops";
  for (std::size_t i = 1; i < signing.size(); ++i) {
    const auto signedIn = signing[i].get();
    ASSERT_TRUE(signedIn) << signedIn.error().what;
    EXPECT_EQ(signedIn->reply.status, 201);
  }
  EXPECT_EQ(controller.wait(), 0);
  EXPECT_THAT(controller.log(), HasSubstr("SERVE_STOPPING"));
}

TEST(Serve, TakesNoLargeBodyFromNobody) {
  const Directory directory;
  Controller controller(directory, true);
  controller.ready();
  Client client;
  const auto token = signIn(client, controller);
  const auto send = [&](const std::string& bearer) {
    auto asked = request("POST", "/import",
                         Json{{"files", Json::array()}, {"reason", std::string(200'000, 'x')}}, bearer);
    const auto got = client.send(controller.peer, std::move(asked));
    return got ? got->reply.status : 0;
  };
  EXPECT_EQ(send(""), 401);
  EXPECT_EQ(send("never issued"), 401);
  EXPECT_EQ(send(token), 422) << "read, and found wrong";
  controller.stop();
  EXPECT_EQ(controller.wait(), 0);
}

TEST(Serve, TellsItsKeyAndAOneTimePassword) {
  const Directory directory;
  Controller controller(directory, false);
  std::string told;
  for (int i = 0; i < 20 && told.find("SHA-256 ") == std::string::npos; ++i) told += controller.line() + "\n";
  EXPECT_THAT(told, HasSubstr("one-time password"));
  const auto pin = listener::spkiPin(textOf(directory.data() / "tls.crt"));
  ASSERT_TRUE(pin);
  EXPECT_THAT(told, HasSubstr("SHA-256 " + *pin));
  controller.stop();
  EXPECT_EQ(controller.wait(), 0);
  EXPECT_THAT(controller.log(), HasSubstr(*pin));
  EXPECT_THAT(controller.log(), Not(HasSubstr("password")));
  EXPECT_EQ(fs::status(directory.data()).permissions(), fs::perms::owner_all);
  for (const auto* secret : {"tls.key", "site.key"})
    EXPECT_EQ(fs::status(directory.data() / secret).permissions(), fs::perms::owner_read | fs::perms::owner_write)
        << secret;

  Controller again(directory, true, true);
  const auto printed = again.rest();
  EXPECT_EQ(again.wait(), 0) << again.log();
  EXPECT_THAT(printed, HasSubstr("one-time password"));
  const auto at = printed.find("\n\n    ") + 6;
  Controller third(directory, true);
  third.ready();
  EXPECT_EQ(third.password, "") << "there is an admin";
  EXPECT_EQ(third.peer.pin, *pin) << "the key stays";
  third.password = printed.substr(at, printed.find('\n', at) - at);
  Client client;
  EXPECT_NE(signIn(client, third), "") << "with the new one";
}

TEST(Serve, RefusesADataDirectoryThatAnotherControllerHoldsAndMakesNoKeyInIt) {
  const Directory directory;
  Controller controller(directory, true);
  controller.ready();
  fs::remove(directory.data() / "site.key");
  Controller second(directory, true, true);
  EXPECT_EQ(second.wait(), 1);
  EXPECT_THAT(second.log(), HasSubstr("stop it first"));
  EXPECT_FALSE(fs::exists(directory.data() / "site.key"));
}

TEST(Serve, SaysWhatToDoAboutADirectoryThatCannotBeWritten) {
  const Directory directory;
  ASSERT_EQ(::chmod(directory.path().c_str(), 0755), 0);
  fs::create_directory(directory.data());
  ASSERT_EQ(::chmod(directory.data().c_str(), 0555), 0);
  std::ofstream(directory.path() / "log").close();
  ASSERT_EQ(::chmod((directory.path() / "log").c_str(), 0666), 0);
  // Root may write anywhere, so the child becomes nobody.
  Controller controller(directory, true, false, ::geteuid() != 0);
  EXPECT_EQ(controller.wait(), 1);
  EXPECT_THAT(controller.log(), HasSubstr("make it writable for the user that runs the controller"));
  EXPECT_EQ(controller.rest(), "");
}

TEST(Serve, RefusesADamagedDatabase) {
  const Directory directory;
  {
    Controller controller(directory, true);
    controller.ready();
    controller.stop();
    ASSERT_EQ(controller.wait(), 0);
  }
  const auto database = directory.data() / "zellige.db";
  const auto size = fs::file_size(database);
  ASSERT_GT(size, 4096u * 20);
  {
    std::fstream file(database, std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(static_cast<std::streamoff>(size - 4096));
    file << std::string(4096, '\xa5');
  }
  Controller controller(directory, true);
  EXPECT_EQ(controller.wait(), 1);
  EXPECT_THAT(controller.log(), HasSubstr("restore the last backup"));
  EXPECT_THAT(controller.rest(), Not(HasSubstr("ready")));
}

Configuration configurationIn(const Directory& directory) {
  Configuration configuration;
  configuration.dataDir = directory.path();
  return configuration;
}

TEST(OwnIdentity, IsMadeOnceAndAgainAfterABrokenOffStart) {
  const Directory directory;
  const auto configuration = configurationIn(directory);
  const auto first = ownIdentity(configuration);
  ASSERT_TRUE(first) << first.error().what;
  EXPECT_EQ(ownIdentity(configuration)->keyPem, first->keyPem);
  std::ofstream(directory.path() / "tls.key", std::ios::trunc).close();
  const auto second = ownIdentity(configuration);
  ASSERT_TRUE(second) << "an empty file is no reason never to start again";
  EXPECT_NE(second->keyPem, first->keyPem);
  fs::remove(directory.path() / "tls.crt");
  const auto third = ownIdentity(configuration);
  ASSERT_TRUE(third);
  EXPECT_TRUE(listener::serverContext(*third));
  EXPECT_EQ(ownIdentity(configuration)->keyPem, third->keyPem);
}

TEST(OwnIdentity, ThatIsDamagedIsRefusedAndNotReplaced) {
  const Directory directory;
  const auto configuration = configurationIn(directory);
  ASSERT_TRUE(ownIdentity(configuration));
  std::ofstream(directory.path() / "tls.key") << "-----BEGIN nonsense";
  const auto refused = ownIdentity(configuration);
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().what, HasSubstr("restore both from the backup"));
  EXPECT_THAT(textOf(directory.path() / "tls.key"), HasSubstr("nonsense"));
}

}  // namespace
}  // namespace zellige::test
