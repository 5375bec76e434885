#include "core/onnx/sparsity_json.h"

#include <array>

namespace xgen {

namespace {

using Scheme = Sparsity::Scheme;
constexpr std::array kSchemes{Scheme::dense, Scheme::pattern, Scheme::block,
                              Scheme::nm,    Scheme::channel, Scheme::unstructured};

}  // namespace

nlohmann::json to_json(const Sparsity& sparsity) {
  nlohmann::json patterns = nlohmann::json::array();
  for (const Pattern& p : sparsity.patterns.patterns) patterns.push_back(p.bits);
  return {{"scheme", name_of(sparsity.scheme)},
          {"group_out", sparsity.group_out},
          {"lane_channels", sparsity.lane_channels},
          {"patterns", patterns},
          {"kept", sparsity.kept}};
}

Sparsity sparsity_from_json(const nlohmann::json& json, const std::string& where) {
  try {
    Sparsity s;
    const auto name = json.at("scheme").get<std::string>();
    bool known = false;
    for (const Scheme scheme : kSchemes) {
      if (name != name_of(scheme)) continue;
      s.scheme = scheme;
      known = true;
    }
    if (!known) throw UserError(str(where, ": sparsity scheme \"", name, "\" is unknown"));
    s.group_out = json.at("group_out").get<int>();
    s.lane_channels = json.at("lane_channels").get<int>();
    for (const auto& bits : json.at("patterns"))
      s.patterns.patterns.push_back({bits.get<std::uint64_t>()});
    s.kept = json.at("kept").get<std::vector<std::int32_t>>();
    if (s.group_out < 1 || s.lane_channels < 1)
      throw UserError(str(where, ": sparsity blocks of ", s.group_out, " x ", s.lane_channels));
    for (const std::int32_t k : s.kept) {
      if (k < Sparsity::kNone || k >= s.patterns.size())
        throw UserError(str(where, ": pattern ", k, " of ", s.patterns.size()));
    }
    return s;
  } catch (const nlohmann::json::exception& e) {
    throw UserError(str(where, ": not a description of a mask: ", e.what()));
  }
}

}  // namespace xgen
