// The database cannot be used any more: full disk, I/O error, damage. It ends the process (STYLE 3.7): the text says
// what a person must do, the supervisor restarts, and nothing that was acknowledged is lost.
#pragma once

#include <stdexcept>

namespace zellige {

class StoreFailure : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// A change broke a rule of the schema. It rolls back alone, as Errc::Conflict.
class ConstraintViolation : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

}  // namespace zellige
