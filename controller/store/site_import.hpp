#pragma once

#include "controller/store/content.hpp"
#include "controller/store/events.hpp"

namespace zellige {

/// Inside the transaction: an Error means that the caller rolls everything back.
Result<ImportSummary> applyImport(Writing& writing, const SiteImport& site, const ContentStore& content,
                                  const std::string& why);

}  // namespace zellige
