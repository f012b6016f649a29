#include "controller/listener/connection.hpp"

#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>

#include "controller/listener/exchange_link.hpp"
#include "controller/listener/reply_text.hpp"

namespace zellige::listener {

namespace {

using Steady = std::chrono::steady_clock;

constexpr std::size_t kProgressBytes = 64u
                                       << 10;  ///< this much renews a body's deadline: one byte a second does not
constexpr std::size_t kFilePiece = 128u << 10;
constexpr int kReadsPerTurn = 16;   ///< then the others' turn
constexpr Duration kLinger{2'000};  ///< for a peer to read our last reply before the socket goes

}  // namespace

Connection::Connection(Shared& shared, Worker& worker, int descriptor, std::shared_ptr<ssl_ctx_st> tls,
                       ConnectionInfo info, std::size_t home)
    : shared_(shared), worker_(worker), loop_(*worker.loop), watch_(loop_, descriptor), alarm_(loop_),
      tls_(std::move(tls)), channel_(std::make_unique<Channel>(descriptor, tls_.get())),
      info_(std::move(info)), home_(home) {}

File::~File() { ::close(descriptor_); }

void Connection::start() {
  setDue(Steady::now() + shared_.options.headerTimeout);
  pump();
}

void Connection::pump() {
  bool goOn = true;
  for (int turns = 0; goOn; ++turns) {
    if (turns == kReadsPerTurn) {
      loop_.post([self = shared_from_this()] { self->pump(); });
      return;
    }
    switch (state_) {
      case State::Handshake: goOn = shake(); break;
      case State::Reading: goOn = readSome(); break;
      case State::Writing: goOn = writeSome(); break;
      case State::Streaming: goOn = streamSome(); break;
      case State::Lingering: goOn = lingerSome(); break;
      case State::Handling:
      case State::Closed: return;
    }
  }
}

/// Comes back to pump() when `io` can go on. False, so that callers can return it.
bool Connection::waitFor(Io io) {
  const auto again = [self = shared_from_this()] { self->pump(); };
  if (io == Io::WantRead)
    watch_.whenReadable(again);
  else if (io == Io::WantWrite)
    watch_.whenWritable(again);
  else
    close();
  return false;
}

bool Connection::shake() {
  const auto io = channel_->handshake();
  if (io != Io::Done) return waitFor(io);
  state_ = State::Reading;
  setDue(Steady::now() + shared_.options.idleTimeout);
  return true;
}

bool Connection::readSome() {
  if (inboxFresh_) {
    inboxFresh_ = false;
    const auto bytes = std::exchange(inbox_, {});
    return feed(bytes);
  }
  const auto got = channel_->read(worker_.scratch.data(), worker_.scratch.size());
  if (got.io != Io::Done) return waitFor(got.io);
  if (inbox_.empty()) return feed({worker_.scratch.data(), got.bytes});
  inbox_.append(worker_.scratch.data(), got.bytes);
  const auto bytes = std::exchange(inbox_, {});
  return feed(bytes);
}

bool Connection::feed(std::string_view bytes) {
  const bool started = reader_ != nullptr;
  if (!started) reader_ = std::make_unique<RequestReader>(shared_.options);
  std::size_t used = 0;
  const auto progress = reader_->feed(bytes, used);
  inbox_.assign(bytes.substr(used));
  switch (progress) {
    case RequestReader::Progress::NeedMore:
      noteProgress(used, started);
      if (reader_->takeContinue()) {
        static constexpr std::string_view kContinue = "HTTP/1.1 100 Continue\r\n\r\n";
        const auto put = channel_->write(kContinue.data(), kContinue.size());
        if (put.io != Io::Done || put.bytes != kContinue.size())
          close();  // a peer with a full window after one head
      }
      return true;
    case RequestReader::Progress::Refused: refuseWith(reader_->refusal()); return true;
    case RequestReader::Progress::Complete: dispatch(); return true;
  }
  return false;
}

void Connection::noteProgress(std::size_t used, bool started) {
  const auto now = Steady::now();
  sinceRenewal_ += used;
  if (!started) setDue(now + shared_.options.headerTimeout);
  if (!reader_->headDone()) return;
  if (bodyPhase_ && sinceRenewal_ < kProgressBytes) return;
  bodyPhase_ = true;
  sinceRenewal_ = 0;
  setDue(now + shared_.options.bodyTimeout);
}

void Connection::dispatch() {
  keepAlive_ = reader_->keepAlive();
  auto request = reader_->take();
  reader_.reset();
  bodyPhase_ = false;
  sinceRenewal_ = 0;
  headRequest_ = request.method == "HEAD";
  state_ = State::Handling;
  setDue(Instant::max());
  auto link = std::make_unique<Exchange::Link>(worker_.loop, weak_from_this(), shared_.options.maxStreamBytes,
                                               info_.request);
  const auto exchange = std::make_shared<Exchange>(std::move(request), info_, std::move(link));
  ++info_.request;
  shared_.handler(exchange);
}

void Connection::refuseWith(int status) {
  reader_.reset();
  headRequest_ = keepAlive_ = false;
  Answer answer;
  answer.reply = refusal(status);
  begin(answer);
}

void Connection::answer(Answer answer) {
  if (state_ != State::Handling || answer.request + 1 != info_.request) {
    if (answer.stream) {
      const std::lock_guard lock(answer.stream->mutex);
      answer.stream->closed = true;
    }
    return;
  }
  if (answer.delay > Duration{0}) {
    const auto due = Steady::now() + std::exchange(answer.delay, Duration{0});
    delay_ = std::make_unique<Alarm>(loop_);
    delay_->set(due, [self = shared_from_this(), held = std::make_shared<Answer>(std::move(answer))] {
      self->answer(std::move(*held));
    });
    return;
  }
  begin(answer);
  pump();
}

void Connection::begin(Answer& answer) {
  if (answer.ending == ReplyEnding::CloseBeforeReply) return close();
  // A stream reads, and throws away, what comes meanwhile: no further request can be trusted after it.
  closeAfter_ = !keepAlive_ || answer.ending != ReplyEnding::Complete || answer.stream || shared_.stopping;
  cutShort_ = answer.ending == ReplyEnding::CutShort;
  headSent_ = bodySent_ = sinceRenewal_ = 0;
  setDue(Steady::now() + shared_.options.bodyTimeout);
  if (answer.stream) {
    stream_ = std::move(answer.stream);
    outHead_ = headText(answer.reply, std::nullopt, closeAfter_);
    state_ = State::Streaming;
    return;
  }
  const bool body = !headRequest_ && !isBodiless(answer.reply.status);
  const auto length = answer.file ? answer.fileLength : answer.reply.body.size();
  outHead_ = headText(answer.reply, length, closeAfter_);
  file_ = std::move(answer.file);
  fileOffset_ = answer.fileOffset;
  fileLeft_ = body && file_ ? answer.fileLength : 0;
  outBody_ = body ? std::move(answer.reply.body) : std::string{};
  if (cutShort_) {
    outBody_.resize(outBody_.size() / 2);
    fileLeft_ /= 2;
  }
  if (outBody_.size() <= 16u << 10) outHead_ += std::exchange(outBody_, {});  // one write, one TLS record
  state_ = State::Writing;
}

bool Connection::writeSome() {
  const bool head = headSent_ < outHead_.size();
  const auto& bytes = head ? outHead_ : outBody_;
  auto& sent = head ? headSent_ : bodySent_;
  if (sent == bytes.size()) {
    if (nextFilePiece()) return true;
    if (state_ == State::Writing) afterReply();
    return true;
  }
  const auto put = channel_->write(bytes.data() + sent, bytes.size() - sent);
  if (put.io != Io::Done) return waitFor(put.io);
  sent += put.bytes;
  sinceRenewal_ += put.bytes;
  if (sinceRenewal_ >= kProgressBytes) {
    sinceRenewal_ = 0;
    setDue(Steady::now() + shared_.options.bodyTimeout);
  }
  return true;
}

bool Connection::nextFilePiece() {
  if (fileLeft_ == 0) return false;
  outBody_.resize(std::min<std::uint64_t>(fileLeft_, kFilePiece));
  const auto got = ::pread(file_->descriptor(), outBody_.data(), outBody_.size(),
                           static_cast<off_t>(fileOffset_));
  if (got <= 0) {  // shorter than promised: the peer must notice, so no goodbye
    close();
    return false;
  }
  outBody_.resize(static_cast<std::size_t>(got));
  bodySent_ = 0;
  fileOffset_ += static_cast<std::uint64_t>(got);
  fileLeft_ -= static_cast<std::uint64_t>(got);
  return true;
}

void Connection::afterReply() {
  file_.reset();
  outHead_ = {};
  outBody_ = {};
  sinceRenewal_ = 0;
  if (closeAfter_ || shared_.stopping) return linger(!cutShort_);
  state_ = State::Reading;
  inboxFresh_ = !inbox_.empty();
  setDue(Steady::now() + shared_.options.idleTimeout);
}

bool Connection::streamSome() {
  // The peer has nothing to say on a stream; reading is how its leaving is noticed.
  const auto got = channel_->read(worker_.scratch.data(), worker_.scratch.size());
  if (got.io == Io::Done) return true;
  waitFor(got.io);
  if (state_ == State::Closed) return false;

  if (headSent_ == outHead_.size()) {
    bool ended = false, dropped = false;
    {
      const std::lock_guard lock(stream_->mutex);
      outHead_ = std::exchange(stream_->pending, {});
      stream_->scheduled = false;
      dropped = stream_->closed;  // more piled up than its reader is allowed
      ended = stream_->ended && outHead_.empty();
      if (ended) stream_->closed = true;
    }
    headSent_ = 0;
    if (dropped) {
      drop();
      return false;
    }
    if (ended) {
      stream_.reset();
      afterReply();
      return true;
    }
    setDue(outHead_.empty() ? Instant::max() : Steady::now() + shared_.options.bodyTimeout);
    if (outHead_.empty()) return false;
  }
  const auto put = channel_->write(outHead_.data() + headSent_, outHead_.size() - headSent_);
  if (put.io != Io::Done) return waitFor(put.io);
  headSent_ += put.bytes;
  return true;
}

void Connection::flushStream() {
  if (state_ != State::Streaming) return;
  bool tooMuch = false;
  {
    const std::lock_guard lock(stream_->mutex);
    tooMuch = stream_->closed;  // more piled up than its reader is allowed
  }
  tooMuch ? drop() : pump();
}

void Connection::linger(bool goodbye) {
  channel_->finish(goodbye);
  state_ = State::Lingering;
  setDue(Steady::now() + kLinger);
}

bool Connection::lingerSome() {
  const auto got = ::recv(watch_.descriptor(), worker_.scratch.data(), worker_.scratch.size(), 0);
  if (got > 0) return true;
  return waitFor(got < 0 && (errno == EAGAIN || errno == EINTR) ? Io::WantRead : Io::Closed);
}

void Connection::windDown() {
  switch (state_) {
    case State::Handshake:
    case State::Reading: return close();
    case State::Streaming: {
      {
        const std::lock_guard lock(stream_->mutex);
        if (!stream_->ended) stream_->pending += chunkText({});
        stream_->ended = true;
      }
      return pump();
    }
    case State::Handling:
    case State::Writing:
    case State::Lingering:
    case State::Closed: return;
  }
}

void Connection::close() {
  if (state_ == State::Closed) return;
  const auto self = shared_from_this();
  state_ = State::Closed;
  worker_.connections.erase(info_.id);
  {
    const std::lock_guard lock(
        shared_.mutex);  // before the peer can see the end, so that the count is never behind it
    --shared_.open;
  }
  alarm_.cancel();
  delay_.reset();
  file_.reset();
  reader_.reset();
  channel_.reset();
  watch_.close();
  if (stream_) {
    const std::lock_guard lock(stream_->mutex);
    stream_->closed = true;
    stream_->pending = {};
  }
  shared_.changed.notify_all();
}

// For a peer that does not read: an orderly end would wait in the kernel behind what it does not take.
void Connection::drop() {
  const ::linger reset{1, 0};
  if (state_ != State::Closed) ::setsockopt(watch_.descriptor(), SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
  close();
}

// Deadlines mostly move away (the next idle time): the alarm is set again only when one comes nearer, and an alarm
// that rings too early sets itself to the deadline of then.
void Connection::setDue(Instant due) {
  due_ = due;
  if (due >= armed_) return;
  armed_ = due;
  alarm_.set(due, [self = shared_from_this()] { self->ring(); });
}

void Connection::ring() {
  if (state_ == State::Closed || Steady::now() < armed_) return;
  armed_ = Instant::max();
  if (due_ == Instant::max()) return;
  if (Steady::now() < due_) return setDue(due_);
  timeOut();
}

void Connection::timeOut() {
  if (state_ == State::Reading && reader_) {
    refuseWith(408);
    return pump();
  }
  state_ == State::Writing || state_ == State::Streaming ? drop() : close();
}

}  // namespace zellige::listener
