#include "web/api/kept_backup.hpp"

#include <system_error>

namespace zellige::api {

namespace fs = std::filesystem;

KeptBackup::KeptBackup(fs::path directory, Executor& executor, double clockSpeed)
    : directory_(std::move(directory)), executor_(executor), clockSpeed_(clockSpeed) {
  std::error_code error;
  for (auto it = fs::directory_iterator(directory_, error); !error && it != fs::directory_iterator();
       it.increment(error))
    if (const auto end = it->path().extension(); end == ".db" || end == ".db-journal")
      fs::remove(it->path(), error);
}

KeptBackup::~KeptBackup() { remove(); }

void KeptBackup::keep(File file) {
  remove();
  file_ = std::move(file);
  waitOn();
}

const KeptBackup::File* KeptBackup::find(const std::string& id) {
  if (!file_ || file_->id != id) return nullptr;
  waitOn();
  return &*file_;
}

void KeptBackup::remove() {
  executor_.cancel(timer_);
  timer_ = TimerId::None;
  if (!file_) return;
  std::error_code error;
  fs::remove(pathOf(file_->id), error);
  file_.reset();
}

bool KeptBackup::isBeingFetched() const {
  return file_.has_value() && executor_.now() - touched_ < wall(kFetching);
}

Duration KeptBackup::wall(Duration span) const {
  return Duration{static_cast<std::int64_t>(static_cast<double>(span.count()) * clockSpeed_)};
}

void KeptBackup::waitOn() {
  executor_.cancel(timer_);
  touched_ = executor_.now();
  timer_ = executor_.after(wall(kPatience), [this] {
    timer_ = TimerId::None;
    remove();
  });
}

}  // namespace zellige::api
