#include "core/error.h"

#include <gtest/gtest.h>

namespace xgen {
namespace {

TEST(Str, WritesWhatAStreamWrites) {
  const char* pointer = "p";
  const std::string text = "t";
  const std::string_view view = "v";
  EXPECT_EQ(str("literal ", pointer, text, view, 'c', -1, 2U, 3L, -4LL, 5UL, 6ULL),
            "literal ptvc-123-456");
  EXPECT_EQ(str("x", 1.5, true, short{3}, 7), "x1.5137");
  EXPECT_EQ(str(), "");
}

TEST(Check, NamesThePlaceAndTheCondition) {
  try {
    XGEN_CHECK(1 > 2, "one ", 1);
    FAIL() << "nothing was thrown";
  } catch (const InternalError& error) {
    const std::string message = error.what();
    EXPECT_NE(message.find("error_test.cpp:"), std::string::npos) << message;
    EXPECT_NE(message.find(": check failed: 1 > 2\n  one 1"), std::string::npos) << message;
  }
}

}  // namespace
}  // namespace xgen
