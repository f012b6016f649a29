// Who sent a request, by its Authorization header.
#pragma once

#include "controller/store/queries.hpp"
#include "web/api/call.hpp"

namespace zellige::api {

/// No header: nobody (an empty user). Auth: a token that does not count.
Result<Identity> identify(Queries& queries, const HttpRequest& request, Time now);

}  // namespace zellige::api
