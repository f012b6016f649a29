// From a bundle that was read and found good to what the store imports: packages and images go into the content store,
// each image with its manifest beside it, for agents. A file that is already there stays.
#pragma once

#include "controller/site/bundle.hpp"
#include "controller/store/content.hpp"
#include "controller/store/records.hpp"

namespace zellige::api {

/// Blocks for as long as the disk needs. Errc::Busy or Invalid: a file could not be kept, and why.
Result<SiteImport> keepBundle(SiteBundle bundle, const ContentStore& content);

}  // namespace zellige::api
