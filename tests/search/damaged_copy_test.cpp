#include "search/damaged_copy.h"

#include <gtest/gtest.h>

#include "tests/support/message.h"
#include "tests/support/temporary_folder.h"

namespace xgen::search {
namespace {

TEST(DamagedCopy, HoldsFileAndLogAndIsMadeOnce) {
  const test::TemporaryFolder folder;
  const auto file = folder.put("study.db", "pages");
  folder.put("study.db-wal", "log");
  EXPECT_EQ(keep_damaged_copy(file), folder / "study.db.damaged");
  EXPECT_EQ(test::contents(folder / "study.db.damaged"), "pages");
  EXPECT_EQ(test::contents(folder / "study.db.damaged-wal"), "log");
  EXPECT_EQ(keep_damaged_copy(file), folder / "study.db.damaged");
  EXPECT_FALSE(std::filesystem::exists(folder / "study.db.damaged2"));
}

TEST(DamagedCopy, OfOtherBytesStays) {
  const test::TemporaryFolder folder;
  const auto file = folder.put("study.db", "pages");
  keep_damaged_copy(file);
  folder.put("study.db", "other pages");
  EXPECT_EQ(keep_damaged_copy(file), folder / "study.db.damaged2");
  EXPECT_EQ(test::contents(folder / "study.db.damaged"), "pages");
  EXPECT_EQ(test::contents(folder / "study.db.damaged2"), "other pages");
}

}  // namespace
}  // namespace xgen::search
