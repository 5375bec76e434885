#include "prune/importance/importance.h"

#include "core/error.h"
#include "prune/importance/list.h"

namespace xgen::prune {

#define DECLARE(name, help) extern const Importance importance_##name;
XGEN_IMPORTANCES(DECLARE)
#undef DECLARE

const Importance& find_importance(const std::string& wanted) {
#define FIND(name, help) \
  if (wanted == #name) return importance_##name;
  XGEN_IMPORTANCES(FIND)
#undef FIND
  XGEN_CHECK(false, "importance ", wanted);
  return importance_l2;
}

}  // namespace xgen::prune
