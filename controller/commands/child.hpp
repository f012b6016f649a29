// A child process of our own program, and its standard output, line by line.
#pragma once

#include <optional>
#include <string>
#include <sys/types.h>
#include <vector>

namespace zellige {

class Child {
 public:
  /// Runs this very program with `arguments`. Its standard error goes to `errorFile` (appended); empty: to ours. It has no
  /// input, and dies with us. Throws std::runtime_error when it cannot be started.
  explicit Child(const std::vector<std::string>& arguments, const std::string& errorFile = {});
  ~Child();  ///< SIGTERM, waits 5 s, SIGKILL
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;

  /// The next line of its output; nullopt: it ended, or nothing came in `seconds`.
  std::optional<std::string> line(int seconds);
  /// All that is left of its output; waits for its end.
  std::string rest();
  void kill(int signal);
  /// Waits for its end; its exit code, or 128 + signal.
  int wait();
  bool running();
  /// CPU that it has used so far, and its peak resident memory.
  double cpuSeconds() const;
  double peakRssMb() const;

 private:
  bool readSome();  ///< false: it closed its output

  pid_t pid_ = -1;
  int out_ = -1;
  std::string buffer_;
  std::optional<int> exit_;
};

}  // namespace zellige
