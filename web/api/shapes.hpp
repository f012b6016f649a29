// How values look in JSON: one function per shape, the same names as the schemas in openapi.yaml. Nothing secret has a
// shape: passwords, hashes, session tokens and the BMC's user are left out here.
#pragma once

#include "controller/base/json.hpp"
#include "controller/engine/engine.hpp"
#include "controller/store/queries.hpp"

namespace zellige::api {

/// null for no text at all.
Json textOrNull(const std::string& text);

/// Looks up what shapes need beside the value itself.
class Shapes {
 public:
  Shapes(Store& store, const Engine& engine) : store_(store), engine_(engine) {}

  Json node(const NodeRow& row) const;
  Json nodeDetail(const NodeDetail& detail) const;
  Json run(const Run& run) const;
  /// With its workflow's steps.
  Json runDetail(const Run& run) const;
  Json finding(const Finding& finding) const;
  Json hold(const Hold& hold) const;
  Json event(const StoredEvent& event) const;

 private:
  Json serialOf(NodeId id) const;
  std::string waitsFor(const Run& run) const;
  Store& store_;
  const Engine& engine_;
};

Json shape(const User& user);
Json shape(const ApiToken& token);
Json shape(const ArmedPlace& place);
Json shape(const Restored& life);
Json shape(const Budgets::Use& use);
Json shape(const ImportSummary& summary);
Json timeOrNull(const std::optional<Time>& time);

}  // namespace zellige::api
