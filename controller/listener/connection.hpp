// One connection: handshake, then request, answer, request, … until either side closes. A state machine on its loop's
// thread; an idle one keeps no buffers. Internal to the listener.
#pragma once

#include <atomic>
#include <condition_variable>
#include <mutex>
#include <unordered_map>

#include "controller/listener/channel.hpp"
#include "controller/listener/listener.hpp"
#include "controller/listener/loop.hpp"
#include "controller/listener/request_reader.hpp"

namespace zellige::listener {

class Connection;

/// What all connections of one server share.
struct Shared {
  ListenerOptions options;
  Handler handler;
  std::atomic<bool> stopping = false;
  std::mutex mutex;
  std::condition_variable changed;  ///< a connection ended
  std::size_t open = 0;             ///< guarded by mutex
};

/// One thread's connections. Everything but `loop` is touched on that thread only.
struct Worker {
  std::shared_ptr<Loop> loop = std::make_shared<Loop>();  ///< also held by exchanges: they may outlive the server
  std::unordered_map<std::uint64_t, std::shared_ptr<Connection>> connections;
  std::vector<char> scratch = std::vector<char>(64u << 10);
};

/// What a Stream's writers have put down and the connection has not taken yet.
struct StreamBuffer {
  std::mutex mutex;
  std::string pending;  ///< chunk-encoded
  bool ended = false, closed = false, scheduled = false;
  std::size_t limit = 0;
  std::shared_ptr<Loop> loop;
  std::weak_ptr<Connection> connection;
};

/// An open file.
class File {
 public:
  explicit File(int descriptor) : descriptor_(descriptor) {}
  ~File();
  File(const File&) = delete;
  int descriptor() const { return descriptor_; }

 private:
  int descriptor_;
};

/// What becomes of a request.
struct Answer {
  HttpReply reply;
  ReplyEnding ending = ReplyEnding::Complete;
  Duration delay{0};
  std::shared_ptr<File> file;  ///< holds the body
  std::uint64_t fileOffset = 0, fileLength = 0;
  std::shared_ptr<StreamBuffer> stream;
  std::uint64_t request = 0;  ///< index on the connection
};

class Connection : public std::enable_shared_from_this<Connection> {
 public:
  /// `home`: which of the server's addresses it came to.
  Connection(Shared& shared, Worker& worker, int descriptor, std::shared_ptr<ssl_ctx_st> tls,
             ConnectionInfo info, std::size_t home);

  void start();
  void answer(Answer answer);
  void flushStream();
  /// The server stops: ends what is idle or endless; an answer in flight is the last.
  void windDown();
  void close();
  void drop();
  std::size_t home() const { return home_; }

 private:
  enum class State { Handshake, Reading, Handling, Writing, Streaming, Lingering, Closed };

  void pump();
  bool shake();
  bool readSome();
  bool feed(std::string_view bytes);
  void noteProgress(std::size_t used, bool started);
  void dispatch();
  void begin(Answer& answer);
  bool writeSome();
  bool streamSome();
  bool nextFilePiece();
  void afterReply();
  void linger(bool goodbye);
  bool lingerSome();
  bool waitFor(Io io);
  void setDue(Instant due);
  void ring();
  void timeOut();
  void refuseWith(int status);

  Shared& shared_;
  Worker& worker_;
  Loop& loop_;
  Watch watch_;
  Alarm alarm_;
  std::shared_ptr<ssl_ctx_st> tls_;
  std::unique_ptr<Channel> channel_;
  ConnectionInfo info_;
  std::size_t home_;
  State state_ = State::Handshake;

  std::unique_ptr<RequestReader> reader_;  ///< none: between two requests
  std::string inbox_;                      ///< read, but not consumed
  bool inboxFresh_ = false;                ///< what is in inbox_ has not been fed since the last answer
  std::size_t sinceRenewal_ = 0;           ///< bytes since the deadline was set
  bool bodyPhase_ = false;

  std::string outHead_, outBody_;
  std::size_t headSent_ = 0, bodySent_ = 0;
  std::shared_ptr<File> file_;
  std::uint64_t fileOffset_ = 0, fileLeft_ = 0;
  bool keepAlive_ = true, headRequest_ = false, closeAfter_ = false, cutShort_ = false;
  std::unique_ptr<Alarm> delay_;
  std::shared_ptr<StreamBuffer> stream_;

  Instant due_ = Instant::max(), armed_ = Instant::max();
};

}  // namespace zellige::listener
