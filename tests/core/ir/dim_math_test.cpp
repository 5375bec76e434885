#include "core/ir/shapes/dim_math.h"

#include <gtest/gtest.h>

namespace xgen::ir {
namespace {

TEST(DimMath, WritesProductsInOneOrder) {
  EXPECT_EQ(multiply("N", multiply("H", 2)), Dim("2*H*N"));
  EXPECT_EQ(multiply(multiply(2, "N"), "H"), Dim("2*H*N"));
  EXPECT_EQ(multiply("N", 1), Dim("N"));
  EXPECT_EQ(product({"N", 3, 4}), Dim("12*N"));
}

TEST(DimMath, MergesOffsets) {
  EXPECT_EQ(add(add("H", 2), 3), Dim("(H+5)"));
  EXPECT_EQ(add(add("H", 2), -2), Dim("H"));
  EXPECT_EQ(subtract(add("H", 5), "H"), Dim(5));
  EXPECT_EQ(subtract("H", 3), Dim("(H-3)"));
}

TEST(DimMath, DividesOnlyWhatDivides) {
  EXPECT_EQ(divide_exactly("64*N", "N"), Dim(64));
  EXPECT_EQ(divide_exactly("64*N", 16), Dim("4*N"));
  EXPECT_EQ(divide_exactly("64*N", 7), std::nullopt);
  EXPECT_EQ(divide_exactly("64*N", "M"), std::nullopt);
  EXPECT_EQ(floor_divide("64*N", 32), Dim("2*N"));
  EXPECT_EQ(floor_divide("H", 2), Dim("floor(H/2)"));
  EXPECT_EQ(floor_divide(-3, 2), Dim(-2));
}

}  // namespace
}  // namespace xgen::ir
