// Values as canonical JSON: sorted keys, no spaces, invalid UTF-8 replaced. What the catalogue, the targets and the
// events store and digest. readX() throws StoreFailure: what we wrote ourselves and cannot read is damage.
#pragma once

#include <string>

#include "controller/base/json.hpp"
#include "controller/engine/run.hpp"
#include "controller/model/inventory.hpp"

namespace zellige {

std::string canonical(const Json& value);
/// The canonical form of one string, appended: what canonical(Json(text)) gives, without the detour.
void appendQuoted(std::string& out, std::string_view text);
Json readStored(const std::string& text);

std::string toDocument(const Sku& sku);
std::string toDocument(const Baseline& baseline);
std::string toDocument(const Plan& plan);
std::string toDocument(const Profile& profile);
std::string toDocument(const Recipe& recipe);
Sku readSku(const std::string& document);
Baseline readBaseline(const std::string& document);
Plan readPlan(const std::string& document);
Profile readProfile(const std::string& document);
Recipe readRecipe(const std::string& document);

/// A target without its digest; the digest is that of this text.
std::string toDocument(const Target& target);
Target readTarget(const std::string& document);

/// Equal for inventories that say the same.
std::string digestOf(const Inventory& inventory);

}  // namespace zellige
