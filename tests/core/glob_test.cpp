#include "core/glob.h"

#include <gtest/gtest.h>

namespace xgen {
namespace {

TEST(MatchesGlob, StarMatchesSlashesToo) {
  EXPECT_TRUE(matches_glob("/conv1/*", "/conv1/a/Conv"));
  EXPECT_TRUE(matches_glob("*1*v", "/conv1/a/Conv"));
  EXPECT_TRUE(matches_glob("**", ""));
  EXPECT_FALSE(matches_glob("/conv1/?", "/conv1/ab"));
  EXPECT_FALSE(matches_glob("a*b", "ab1"));
}

}  // namespace
}  // namespace xgen
