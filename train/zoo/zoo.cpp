#include "train/zoo/zoo.h"

#include "core/random.h"
#include "core/suggest.h"
#include "train/zoo/models.h"

namespace xgen::train {

const std::vector<ZooEntry>& zoo() {
  static const std::vector<ZooEntry> entries = {
#define XGEN_ZOO_MODEL(name, channels, height, width, classes, description) \
  {#name, channels, height, width, classes, description},
#include "train/zoo/zoo.inc"
#undef XGEN_ZOO_MODEL
  };
  return entries;
}

ir::Graph make_zoo_model(const std::string& name, std::int64_t classes, std::uint64_t seed) {
  const Random random(seed);
#define XGEN_ZOO_MODEL(model, channels, height, width, usual_classes, description) \
  if (name == #model) return zoo_models::model(classes, random);
#include "train/zoo/zoo.inc"
#undef XGEN_ZOO_MODEL
  std::vector<std::string> names;
  std::string list;
  for (const ZooEntry& entry : zoo()) {
    names.push_back(entry.name);
    list += str(list.empty() ? "" : ", ", entry.name);
  }
  throw UserError(
      str("the zoo has no model \"", name, '"', did_you_mean(name, names), " (it has ", list, ")"));
}

}  // namespace xgen::train
