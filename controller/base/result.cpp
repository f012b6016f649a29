#include "controller/base/result.hpp"

namespace zellige {

std::string_view name(Errc code) {
  switch (code) {
    case Errc::Unreachable: return "unreachable";
    case Errc::Timeout: return "timeout";
    case Errc::Auth: return "auth";
    case Errc::PasswordExpired: return "password_expired";
    case Errc::NotFound: return "not_found";
    case Errc::Conflict: return "conflict";
    case Errc::Busy: return "busy";
    case Errc::Rejected: return "rejected";
    case Errc::BadReply: return "bad_reply";
    case Errc::Unsupported: return "unsupported";
    case Errc::NotArmed: return "not_armed";
    case Errc::Invalid: return "invalid";
  }
  return "?";
}

}  // namespace zellige
