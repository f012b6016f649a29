#include "web/api/kept_backup.hpp"

#include <system_error>

namespace zellige::api {

namespace fs = std::filesystem;

KeptBackup::KeptBackup(fs::path directory, Executor& executor, double clockSpeed)
    : directory_(std::move(directory)), executor_(executor),
      patience_(static_cast<std::int64_t>(static_cast<double>(kPatience.count()) * clockSpeed)) {
  std::error_code error;
  for (auto it = fs::directory_iterator(directory_, error); !error && it != fs::directory_iterator();
       it.increment(error))
    if (it->path().extension() == ".db") fs::remove(it->path(), error);
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

void KeptBackup::waitOn() {
  executor_.cancel(timer_);
  timer_ = executor_.after(patience_, [this] {
    timer_ = TimerId::None;
    remove();
  });
}

}  // namespace zellige::api
