#pragma once

#include <string>
#include <vector>

#include "core/config.h"
#include "search/space.h"

namespace xgen::search {

/// What a config says of a parameter's choice.
struct ClauseConfig {
  std::string parameter;
  std::vector<std::string> is;

  template <class V>
  void describe(V& v) {
    v.text("parameter", parameter, "Name of a parameter, as `search space` prints it.",
           Need::required);
    v.texts("is", is, "Choices, one of which it takes.", Need::required);
  }
};

struct ConditionConfig {
  std::vector<ClauseConfig> when, then;

  template <class V>
  void describe(V& v) {
    v.objects("when", when, "Where all of these hold; nothing: always.");
    v.objects("then", then, "all of these must.", Need::required);
  }
};

/// The space with a config's conditions, besides its own.
///
/// @param where  of the conditions, for messages: "FILE: /conditions".
/// @throws UserError for a parameter or a choice that there is not, with a suggestion; where no
/// candidate keeps all conditions; and for a condition that speaks of candidates which the others
/// rule out.
Space with_conditions(Space space, const std::vector<ConditionConfig>& conditions,
                      const std::string& where);

}  // namespace xgen::search
