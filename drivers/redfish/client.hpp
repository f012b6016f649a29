// One BMC's HTTP conversation: its queue, session, retries, ETags, error texts, and the gate that keeps writes away
// from places in observe mode. Knows Redfish as a protocol; knows no machine (platform.hpp) and nothing of what is
// done with it (redfish_bmc.hpp).
//
// What is repeated, and nothing else: GETs that were told to come again (429, 5xx); any request after a 503 or a 401,
// which say that it was not applied: after a 401 with a new session, twice at most, since an ended session and a stray 401
// come together; a PATCH after 412 with the next rung of the ETag ladder. An upload is never: after a 401 a new session is
// opened for it, and the error is Busy.
#pragma once

#include <functional>
#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "controller/base/executor.hpp"
#include "controller/base/result.hpp"
#include "controller/engine/access.hpp"
#include "controller/model/ids.hpp"
#include "drivers/http/transport.hpp"
#include "drivers/redfish/exchange_log.hpp"
#include "drivers/redfish/turns.hpp"
#include "drivers/redfish/view.hpp"

namespace zellige::redfish {

struct ClientOptions {
  int atATime = 2;                    ///< requests to one BMC; NVIDIA allows 4 client connections (FACTS 7)
  Duration connectTimeout{30'000};    ///< FACTS 11: clients in use take 10-30 s
  Duration readTimeout{60'000};       ///< FACTS 11
  Duration slowReadTimeout{180'000};  ///< firmware inventories and expanded collections (FACTS 11: DGX)
  Duration writeTimeout{120'000};     ///< FACTS 11: BIOS writes can hold longer than 60 s
  Duration uploadTimeout{1'800'000};  ///< 200 MiB over a BMC's slow path, *est*
  Duration wholeRead{1'200'000};  ///< one reading of a whole machine: 4,000 resources at 0.3 s each, *est*
  int tries = 3;                  ///< of a request that was told to come again
  Duration patience{60'000};      ///< all waits of one request together
  Duration defaultWait{5'000};    ///< where the BMC did not say when to come again, *est*
  Duration lockout{660'000};      ///< the longest that is met is 600 s (FACTS 7), and a minute
  std::string caFile;             ///< http::Peer::caFile
  std::function<std::string(std::size_t)> randomHex;  ///< for new passwords; empty: the operating system's
  ReadLog* readLog = nullptr;
};

/// What all clients share. Outlives them.
struct Wiring {
  http::Transport& transport;
  AccessStore& access;
  Executor& executor;
  ClientOptions options;
};

/// A resource as it was read.
struct Document {
  std::string uri, etag, location;
  int status = 0;
  std::shared_ptr<const Json> json;  ///< an object; empty object where a write's reply had no body
  ReadLog* log = nullptr;

  View view() const { return View{*json, log}; }
};

/// A collection's members. A member that does not answer (404, 5xx, no JSON) is missing, not an error: HGX resources
/// come and go (FACTS 9).
struct Members {
  struct Missing {
    std::string uri;
    Error why;
  };
  std::vector<Document> found;
  std::vector<Missing> missing;
  /// Of a member that may be there all the same; nullptr: whoever is missing is not there.
  const Error* unanswered() const;
};

class Client {
 public:
  Client(const Wiring& wiring, NodeId node, http::Peer peer, std::function<bool()> armed);
  Client(const Client&) = delete;

  // Reading
  Task<Result<Document>> root();  ///< anonymous; one exchange
  Task<Result<Document>> get(std::string uri, bool slow = false);
  /// While it lives, no GET begins later than `wholeRead` after it was made: Errc::Timeout. A machine that answers each of
  /// hundreds of requests just before its own timeout would else be read for hours.
  class ReadLimit {
   public:
    explicit ReadLimit(Client& client);
    ~ReadLimit() { client_.readBy_ = Time::max(); }
    ReadLimit(const ReadLimit&) = delete;

   private:
    Client& client_;
  };
  Task<Result<Members>> members(std::string uri, bool slow = false);
  /// The links of a collection (first page to last), without reading its members.
  Task<Result<std::vector<std::string>>> links(std::string uri);

  // Writing: Errc::NotArmed, and nothing sent, where the place is in observe mode
  /// `secretBody`: it holds a secret, so nothing of what the machine says of it is kept.
  Task<Result<Document>> post(std::string uri, std::string body, bool secretBody = false);
  /// Reads the resource first for its ETag. `anyMatch`: `If-Match: *` comes before it (DGX, FACTS 3).
  Task<Result<Document>> patch(std::string uri, std::string body, bool anyMatch = false);
  Task<Result<Document>> upload(std::string uri, http::Upload upload);
  Result<void> armed(std::string_view what) const;

  // Session
  Task<Result<void>> ensureSession();
  /// A new password for our own account, two-phase (access.hpp): it is saved as the next one, sent, and promoted; what
  /// a crash or an unknown outcome leaves is settled by the next sign-in. The account is found by following Accounts;
  /// where those may not be read yet it is `accountId` (empty: the user name) under them.
  Task<Result<void>> changePassword(std::string accountId, bool anyMatch);

  // What the machine and the platform say
  /// ".($levels=1)"; empty: never. `query` is a constant.
  void useExpand(std::string_view query) { expand_ = query; }
  void moveTo(http::Peer peer);
  std::vector<Exchange> exchanges() const { return exchanges_.read(); }

  const Wiring& wiring() const { return wiring_; }

 private:
  enum class As { Nobody, Session, Token, Basic };
  struct Ask {
    std::string method, uri, body, ifMatch;
    As as = As::Session;
    Secret secret;  ///< Token: the token; Basic: "user:password"
    Duration timeout{0};
    bool secretBody = false;
    bool gated = true;  ///< false only for our own session
    std::shared_ptr<const http::Upload> upload;
  };
  enum class Login { Accepted, Refused };

  Task<Result<HttpReply>> once(Ask ask);
  Task<Result<Document>> perform(Ask ask);
  Result<Document> judge(const Ask& ask, HttpReply reply) const;
  Ask reading(std::string uri, bool slow) const;
  Ask writing(std::string method, std::string uri, std::string body) const;
  void note(const Ask& ask, Time begin, int status, std::size_t bytes, std::string problem);

  Task<Result<void>> eachPage(std::string uri, std::function<void(const Document&)> visit);
  static void take(const Document& page, Members& members, std::vector<std::string>& bare);
  Task<Result<Members>> expanded(std::string uri, bool& usable);
  Task<Result<void>> addMember(std::string uri, Members& members, bool slow);

  Result<void> loadAccess();
  void forgetAccess();
  Task<Result<void>> saveAccess();
  Task<Result<void>> changeAccess(std::function<void(BmcAccess&)> edit);
  void forgetToken(const Secret& rejected);
  bool hasSession() const { return !token_.empty() && !tokenIsDead_; }
  Error refused() const;
  Task<Result<void>> signInByPassword();
  Task<void> takeGuessBack(bool oneOfTwo);
  Task<Result<Login>> tryLogin(Secret password, std::string uri);
  Task<Result<void>> keepSession(Secret password, HttpReply reply);
  Task<Result<std::string>> sessionsUri();
  Task<Result<void>> deleteSession(Secret token, std::string uri);
  struct OwnAccount {
    std::string user, uri, etag;
    std::size_t passwordLength = 0;
  };
  Task<Result<OwnAccount>> findOwnAccount(std::string accountId);
  Task<Result<void>> judgeRefused(Secret password, Error why);
  Task<Result<void>> setPassword(OwnAccount account, bool anyMatch);
  Task<Result<void>> sendPassword(OwnAccount account, bool anyMatch);
  static std::vector<std::string> etagLadder(std::string_view etag, bool anyMatch);

  const Wiring& wiring_;
  NodeId node_;
  http::Peer peer_;
  std::function<bool()> armed_;
  Turns turns_;
  Turns loginTurn_;
  Time readBy_ = Time::max();  ///< of the ReadLimit, if there is one

  std::unique_ptr<BmcAccess> access_;  ///< dropped once signed in, unless by Basic
  bool mustChange_ = false;            ///< as it was loaded
  bool pinIsStored_ = false;           ///< as it was loaded: a pin that a person gave up is given up here too
  Secret token_;                       ///< of our session; empty: ensureSession must find or open one
  bool tokenIsDead_ = false;           ///< refused with 401: not to be taken from the store again
  std::string lastRefusal_;            ///< of a password, in this life: status and MessageIds
  bool basicOnly_ = false;             ///< the BMC opens no session until the password is changed
  struct RootLinks {
    std::string sessions, accountService;
  };
  std::unique_ptr<RootLinks> rootLinks_;  ///< dropped once signed in
  std::string_view expand_;
  std::vector<std::string> noExpand_;  ///< collections that do not expand
  ExchangeLog exchanges_;
};

}  // namespace zellige::redfish
