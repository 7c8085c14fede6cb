#include "experiments/results/hdf5_file.h"

#include <H5Cpp.h>
#include <gmock/gmock.h>

#include <bit>
#include <cmath>
#include <functional>
#include <limits>
#include <random>

#include "experiments/results/user_block.h"
#include "tests/experiments/small_experiment.h"

namespace dspark {
namespace {

using testing::HasSubstr;

ResultFile sample() {
  ResultFile file;
  file.attributes = {{"title", std::string("Größe ±")},
                     {"seed", std::int64_t{1} << 53},
                     {"experiment", std::string(100'000, 'y')},
                     {"empty", std::string()}};
  file.tables = {
      {"keyed",
       "one row per point",
       true,
       {{"point", "1", "number", Integers{0, 1, 2}},
        {"policy", "", "policy", Texts{"none", "fixed:7", "{dspark: {cost: hull}}"}},
        {"workload.users", "users", "axis", Numbers{1, 0.1, 1e300}}}},
      {"empty", "no rows", false, {{"point", "1", "number", Integers{}}, {"what", "", "text", Texts{}}}}};
  return file;
}

TEST(Hdf5File, GivesBackWhatWasWritten) {
  const auto bytes = encode_hdf5(sample());
  ASSERT_TRUE(bytes);
  const auto back = decode_hdf5(*bytes, "f");
  ASSERT_TRUE(back) << back.error().message;
  EXPECT_EQ(back->text("title"), "Größe ±");
  EXPECT_EQ(back->integer("seed"), std::int64_t{1} << 53);
  EXPECT_EQ(back->text("experiment"), std::string(100'000, 'y'));
  ASSERT_EQ(back->tables.size(), 2u);
  const Table& table = back->table("keyed");
  EXPECT_TRUE(table.keyed);
  EXPECT_EQ(table.texts("policy"), sample().tables[0].texts("policy"));
  EXPECT_EQ(table.numbers("workload.users"), sample().tables[0].numbers("workload.users"));
  EXPECT_EQ(table.find("workload.users")->unit, "users");
  EXPECT_EQ(back->table("empty").rows(), 0u);
  EXPECT_FALSE(back->table("empty").keyed);
}

TEST(Hdf5File, TheSameContentGivesTheSameBytes) {
  const auto first = encode_hdf5(sample());
  const auto second = encode_hdf5(sample());
  ASSERT_TRUE(first && second);
  EXPECT_EQ(*first, *second);
}

TEST(Hdf5File, AnyNaNIsTheSameNaN) {
  ResultFile one = sample();
  ResultFile other = sample();
  std::get<Numbers>(one.tables[0].columns[2].values)[0] = std::numeric_limits<double>::quiet_NaN();
  std::get<Numbers>(other.tables[0].columns[2].values)[0] = -std::numeric_limits<double>::quiet_NaN();
  EXPECT_EQ(*encode_hdf5(one), *encode_hdf5(other));
}

TEST(Hdf5File, ATruncatedFileIsOneError) {
  const std::string bytes = *encode_hdf5(sample());
  std::mt19937 random(4);
  for (int i = 0; i < 200; ++i) {
    const std::size_t size = std::uniform_int_distribution<std::size_t>(0, bytes.size() - 1)(random);
    EXPECT_FALSE(decode_hdf5(std::string_view(bytes).substr(0, size), "f")) << size;
  }
  EXPECT_THAT(decode_hdf5("", "f").error().message, HasSubstr("'f' is empty"));
  EXPECT_THAT(decode_hdf5(std::string_view(bytes).substr(0, 600), "f").error().message,
              HasSubstr("'f' is damaged"));
}

TEST(Hdf5File, AFlippedBitIsOneError) {
  const std::string bytes = *encode_hdf5(sample());
  std::mt19937 random(5);
  for (int i = 0; i < 200; ++i) {
    const std::size_t bit = std::uniform_int_distribution<std::size_t>(0, bytes.size() * 8 - 1)(random);
    std::string damaged = bytes;
    damaged[bit / 8] = static_cast<char>(damaged[bit / 8] ^ (1 << (bit % 8)));
    EXPECT_FALSE(decode_hdf5(damaged, "f")) << bit;
  }
}

TEST(Hdf5File, RandomBytesAreOneErrorEvenBehindAValidDigest) {
  std::mt19937 random(6);
  for (int i = 0; i < 50; ++i) {
    std::string noise(static_cast<std::size_t>(i * 100), '\0');
    for (char& c : noise) c = static_cast<char>(random());
    EXPECT_FALSE(decode_hdf5(noise, "f"));
    EXPECT_FALSE(decode_hdf5(with_user_block(noise), "f"));
  }
}

TEST(Hdf5File, AFileOfManyPiecesIsReadFromTheDisk) {
  const ScratchFolder folder;
  ResultFile file = sample();
  file.tables[0].columns = {{"x", "1", "numbers", Numbers(500'000, 0.1)}};
  write_bytes(folder / "large.h5", *encode_hdf5(file));
  const auto back = read_result_file(folder / "large.h5");
  ASSERT_TRUE(back) << back.error().message;
  EXPECT_EQ(back->table("keyed").numbers("x"), Numbers(500'000, 0.1));
  std::string damaged = read_bytes(folder / "large.h5");
  damaged.back() = static_cast<char>(damaged.back() ^ 1);
  write_bytes(folder / "large.h5", damaged);
  EXPECT_THAT(read_result_file(folder / "large.h5").error().message, HasSubstr("large.h5' is damaged"));
}

TEST(Hdf5File, WhatCouldNotBeReadBackIsNotWritten) {
  const std::string bytes = *encode_hdf5(sample());
  const std::size_t least = least_bytes(sample());
  EXPECT_LT(least, bytes.size());
  EXPECT_GT(least, std::size_t{100'000} + 3 * 8 + 3 * 22 + 3 * 8);  // the long text and the three columns
  EXPECT_TRUE(encode_hdf5(sample(), bytes.size()));
  // One byte too many of the whole file; and of its values alone, whose file is not even made.
  EXPECT_THAT(encode_hdf5(sample(), bytes.size() - 1).error().message,
              HasSubstr("at least " + std::to_string(bytes.size()) + " bytes and could not be read back"));
  EXPECT_THAT(encode_hdf5(sample(), least - 1).error().message,
              HasSubstr("at least " + std::to_string(least) + " bytes and could not be read back"));
}

/// The bytes of a file with `change` done to its root by the library, behind a valid digest.
std::string changed_by_the_library(const std::string& bytes, const std::function<void(H5::Group&)>& change) {
  const ScratchFolder folder;
  write_bytes(folder / "f.h5", bytes.substr(kUserBlockBytes));
  {
    H5::H5File file(folder / "f.h5", H5F_ACC_RDWR);
    H5::Group root = file.openGroup("/");
    change(root);
  }
  return with_user_block(read_bytes(folder / "f.h5"));
}

/// Replaces `attribute` by one of `texts` texts, each of its own length (`variable`) or all of one.
std::string with_texts(const std::string& attribute, hsize_t texts, bool variable, bool on_a_column) {
  return changed_by_the_library(*encode_hdf5(sample()), [&](H5::Group& root) {
    H5::DataSet column = root.openDataSet("/keyed/point");
    H5::H5Object& object = on_a_column ? static_cast<H5::H5Object&>(column) : root;
    object.removeAttr(attribute);
    const H5::StrType type(H5::PredType::C_S1, variable ? H5T_VARIABLE : 4);
    const H5::DataSpace space(1, &texts);
    H5::Attribute made = object.createAttribute(attribute, type, space);
    if (texts == 0) return;
    const std::vector<const char*> pointers(texts, "abc");
    std::string packed;
    for (hsize_t i = 0; i < texts; ++i) packed += std::string("abc\0", 4);
    made.write(type, variable ? static_cast<const void*>(pointers.data()) : packed.data());
  });
}

TEST(Hdf5File, ATextAttributeHoldsExactlyOneText) {
  for (const bool variable : {true, false}) {
    for (const bool on_a_column : {true, false}) {
      const std::string name = on_a_column ? "unit" : "title";
      const auto one = decode_hdf5(with_texts(name, 1, variable, on_a_column), "f");
      ASSERT_TRUE(one) << one.error().message;
      EXPECT_EQ(on_a_column ? one->table("keyed").find("point")->unit : one->text("title"), "abc");
      for (const hsize_t texts : {0, 2, 1000}) {
        const auto none = decode_hdf5(with_texts(name, texts, variable, on_a_column), "f");
        ASSERT_FALSE(none) << texts << " texts, variable " << variable << ", on a column " << on_a_column;
        EXPECT_EQ(none.error().message, "'f' is not as dspark writes it: attribute " + name);
      }
    }
  }
}

/// A table of numbers without a pattern, of several chunks.
ResultFile compressed_sample(std::size_t rows) {
  ResultFile file;
  Numbers numbers(rows);
  Integers integers(rows);
  std::mt19937_64 random(8);
  for (std::size_t i = 0; i < rows; ++i) {
    numbers[i] = static_cast<double>(random() % 1'000'000'000) * 1e-9;
    integers[i] = static_cast<std::int64_t>(random());
  }
  if (rows > 2) numbers[1] = -0.0, numbers[2] = 5e-324;
  file.tables = {{"t",
                  "compressed",
                  false,
                  {{"numbers", "s", "", numbers}, {"integers", "1", "", integers}},
                  /*compressed=*/true}};
  return file;
}

TEST(Hdf5File, CompressedColumnsComeBackBitForBit) {
  for (const std::size_t rows : {0u, 1u, 8191u, 8192u, 8193u, 50'000u}) {
    const ResultFile file = compressed_sample(rows);
    const auto bytes = encode_hdf5(file);
    ASSERT_TRUE(bytes) << bytes.error().message;
    EXPECT_EQ(*bytes, *encode_hdf5(file));
    const auto back = decode_hdf5(*bytes, "f");
    ASSERT_TRUE(back) << rows << ": " << back.error().message;
    const Numbers& before = file.tables[0].numbers("numbers");
    const Numbers& after = back->table("t").numbers("numbers");
    ASSERT_EQ(after.size(), rows);
    for (std::size_t i = 0; i < rows; ++i)
      ASSERT_EQ(std::bit_cast<std::uint64_t>(after[i]), std::bit_cast<std::uint64_t>(before[i])) << i;
    EXPECT_EQ(back->table("t").integers("integers"), file.tables[0].integers("integers"));
    EXPECT_EQ(*encode_hdf5(*back), *bytes);
    EXPECT_LT(bytes->size(), rows * 15 + 20'000) << "of 16";
  }
}

/// A compressed column whose dataset is made by `make` in its place.
std::string said_of_column(const std::function<H5::DataSet(H5::Group&)>& make) {
  const std::string bytes =
      changed_by_the_library(*encode_hdf5(compressed_sample(9000)), [&](H5::Group& root) {
        H5::Group table = root.openGroup("t");
        table.unlink("numbers");
        H5::DataSet made = make(table);
        for (const char* name : {"unit", "description"}) {
          const H5::StrType type(H5::PredType::C_S1, 4);
          made.createAttribute(name, type, H5::DataSpace(H5S_SCALAR)).write(type, std::string("abc"));
        }
      });
  const auto back = decode_hdf5(bytes, "f");
  return back ? "read" : back.error().message;
}

H5::DataSet chunked(H5::Group& group, hsize_t rows, hsize_t chunk, bool shuffled, hsize_t written) {
  H5::DSetCreatPropList properties;
  properties.setChunk(1, &chunk);
  if (shuffled) properties.setShuffle();
  properties.setDeflate(6);
  H5::DataSet made =
      group.createDataSet("numbers", H5::PredType::IEEE_F64LE, H5::DataSpace(1, &rows), properties);
  if (written == 0) return made;
  const Numbers ones(written, 1.0);
  H5::DataSpace file(1, &rows);
  const hsize_t first = 0;
  file.selectHyperslab(H5S_SELECT_SET, &written, &first);
  made.write(ones.data(), H5::PredType::NATIVE_DOUBLE, H5::DataSpace(1, &written), file);
  return made;
}

TEST(Hdf5File, ACompressedColumnIsStoredWholeAndInOurChunks) {
  const auto said = [](hsize_t rows, hsize_t chunk, bool shuffled, hsize_t written) {
    return said_of_column([&](H5::Group& t) { return chunked(t, rows, chunk, shuffled, written); });
  };
  EXPECT_EQ(said(9000, 8192, true, 9000), "read");
  const std::string refused = "'f' is not as dspark writes it: column numbers is not stored whole";
  EXPECT_EQ(said(9000, 8192, true, 8000), refused) << "a chunk is missing";
  EXPECT_EQ(said(9000, 8192, true, 0), refused) << "all are";
  EXPECT_EQ(said(hsize_t{1} << 40, 8192, true, 9000), refused) << "terabytes of nothing";
  EXPECT_EQ(said(9000, 9000, true, 9000), refused) << "another chunk";
  EXPECT_EQ(said(9000, 8192, false, 9000), refused) << "another filter";
}

TEST(Hdf5File, AMissingFileIsOneError) {
  EXPECT_THAT(read_result_file("/nowhere/x.h5").error().message, HasSubstr("cannot read '/nowhere/x.h5'"));
}

}  // namespace
}  // namespace dspark
