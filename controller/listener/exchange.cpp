#include <fcntl.h>
#include <unistd.h>

#include "controller/listener/exchange_link.hpp"
#include "controller/listener/reply_text.hpp"

namespace zellige::listener {

namespace {
void closeStream(StreamBuffer& buffer) {
  const std::lock_guard lock(buffer.mutex);
  buffer.closed = true;
}
}  // namespace

/// Shared by the copies of one Stream; its end is the stream's.
struct Stream::State {
  explicit State(std::shared_ptr<StreamBuffer> b) : buffer(std::move(b)) {}
  State(const State&) = delete;
  ~State() { end(); }

  bool write(std::string bytes) {
    if (bytes.empty()) return !closed();  // an empty chunk would be the end
    const std::lock_guard lock(buffer->mutex);
    if (buffer->closed || buffer->ended) return false;
    if (buffer->pending.size() + bytes.size() > buffer->limit) {
      buffer->closed = true;
      buffer->pending = {};
    } else {
      buffer->pending += chunkText(bytes);
    }
    schedule();
    return !buffer->closed;
  }

  void end() {
    const std::lock_guard lock(buffer->mutex);
    if (buffer->closed || buffer->ended) return;
    buffer->pending += chunkText({});
    buffer->ended = true;
    schedule();
  }

  bool closed() const {
    const std::lock_guard lock(buffer->mutex);
    return buffer->closed || buffer->ended;
  }

 private:
  void schedule() {  // with the lock
    if (std::exchange(buffer->scheduled, true) && !buffer->closed) return;
    buffer->loop->post([to = buffer->connection] {
      if (const auto c = to.lock()) c->flushStream();
    });
  }
  std::shared_ptr<StreamBuffer> buffer;
};

void Exchange::Link::send(Answer answer) {
  answer.request = request;
  if (answered.exchange(true)) return;
  const auto stream = answer.stream;
  const bool running = loop->post([to = connection, held = std::make_shared<Answer>(std::move(answer))] {
    if (const auto c = to.lock())
      c->answer(std::move(*held));
    else if (held->stream)
      closeStream(*held->stream);
  });
  if (!running && stream) closeStream(*stream);
}

Exchange::Exchange(HttpRequest r, ConnectionInfo c, std::unique_ptr<Link> link)
    : request(std::move(r)), connection(std::move(c)), link_(std::move(link)) {}

Exchange::~Exchange() {
  if (!link_->answered) respond(refusal(500));
}

void Exchange::respond(HttpReply reply, ReplyEnding ending, Duration delay) {
  Answer answer;
  answer.reply = std::move(reply);
  answer.ending = ending;
  answer.delay = delay;
  link_->send(std::move(answer));
}

void Exchange::respondFile(HttpReply head, const std::filesystem::path& file, std::uint64_t offset,
                           std::uint64_t length) {
  const int descriptor = ::open(file.c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor < 0) return respond(refusal(404));
  Answer answer;
  answer.reply = std::move(head);
  answer.reply.body.clear();
  answer.file = std::make_shared<File>(descriptor);
  answer.fileOffset = offset;
  answer.fileLength = length;
  link_->send(std::move(answer));
}

Stream Exchange::openStream(HttpReply head) {
  auto buffer = std::make_shared<StreamBuffer>();
  buffer->limit = link_->maxStreamBytes;
  buffer->loop = link_->loop;
  buffer->connection = link_->connection;
  buffer->closed = link_->answered;  // the second answer of a request goes nowhere
  Answer answer;
  answer.reply = std::move(head);
  answer.stream = buffer;
  link_->send(std::move(answer));
  return Stream(std::make_shared<Stream::State>(std::move(buffer)));
}

bool Stream::write(std::string bytes) const { return state_->write(std::move(bytes)); }
void Stream::end() const { state_->end(); }
bool Stream::closed() const { return state_->closed(); }

}  // namespace zellige::listener
