#include "executor/checkpoint/safetensors.h"

#include <gmock/gmock.h>
#include <sys/stat.h>

#include <cstring>

#include "tests/executor/checkpoint/model_folder.h"

namespace dspark {
namespace {

using testing::HasSubstr;

/// Two tensors, 12 bytes of data and some metadata.
const std::string kHeader =
    R"({"__metadata__":{"format":"pt"},"b":{"dtype":"BF16","shape":[2],"data_offsets":[8,12]},)"
    R"("a":{"dtype":"F32","shape":[2,1],"data_offsets":[0,8]}})";
const std::string kData("\x00\x00\x80\x3f\x00\x00\x00\xc0\x80\x3f\x00\x40", 12);

/// What is wrong with a file of these bytes, or "".
std::string error_of(const std::string& bytes) {
  const auto header = parse_safetensors(bytes, "f");
  return header ? "" : to_string(header.error());
}

TEST(Safetensors, AFileThatWasWrittenIsReadBack) {
  const ModelFolder folder;
  const auto file = SafetensorsFile::open(folder.write("m.safetensors", safetensors(kHeader + "   ", kData)));
  ASSERT_TRUE(file) << to_string(file.error());
  EXPECT_EQ(file->metadata(), (std::map<std::string, std::string>{{"format", "pt"}}));
  ASSERT_EQ(file->tensors().size(), 2u);
  const TensorInfo& first = file->tensors()[0];
  EXPECT_EQ(first.name, "a") << "in the order of their bytes";
  EXPECT_EQ(first.shape, (std::vector<std::size_t>{2, 1}));
  const auto a = file->weights(first);
  ASSERT_TRUE(a);
  EXPECT_EQ(a->dtype, Dtype::kF32);
  ASSERT_EQ(a->bytes.size(), 8u);
  float values[2];
  std::memcpy(values, a->bytes.data(), sizeof values);
  EXPECT_EQ(values[0], 1.0F);
  EXPECT_EQ(values[1], -2.0F);
  const auto b = file->weights(file->tensors()[1]);
  ASSERT_TRUE(b);
  EXPECT_EQ(b->dtype, Dtype::kBf16);
  EXPECT_EQ(std::memcmp(b->bytes.data(), kData.data() + 8, 4), 0);
}

TEST(Safetensors, EveryTypeOfTheFormatHasItsSize) {
  const struct {
    const char* name;
    int bytes_of_eight;
  } types[] = {{"BOOL", 8}, {"F4", 4},      {"F6_E2M3", 6}, {"F6_E3M2", 6}, {"U8", 8},
               {"I8", 8},   {"F8_E5M2", 8}, {"F8_E4M3", 8}, {"F8_E8M0", 8}, {"F8_E4M3FNUZ", 8},
               {"I16", 16}, {"U16", 16},    {"F16", 16},    {"BF16", 16},   {"F8_E5M2FNUZ", 8},
               {"I32", 32}, {"U32", 32},    {"F32", 32},    {"C64", 64},    {"F64", 64},
               {"I64", 64}, {"U64", 64}};
  for (const auto& type : types) {
    const std::string header = R"({"t":{"dtype":")" + std::string(type.name) +
                               R"(","shape":[8],"data_offsets":[0,)" + std::to_string(type.bytes_of_eight) +
                               "]}}";
    const std::string bytes = safetensors(header, std::string(type.bytes_of_eight, '\0'));
    const auto read = parse_safetensors(bytes, "f");
    ASSERT_TRUE(read) << to_string(read.error());
    EXPECT_EQ(dtype_name(read->tensors[0].dtype), type.name);
  }
}

TEST(Safetensors, WhatIsNoTypeOfWeightsIsRefusedWhenItIsAskedFor) {
  const ModelFolder folder;
  const std::string path =
      folder.write("m.safetensors", safetensors(R"({"ids":{"dtype":"I32","shape":[1],"data_offsets":[0,4]},)"
                                                R"("h":{"dtype":"F16","shape":[1],"data_offsets":[4,6]}})",
                                                "123456"));
  const auto file = SafetensorsFile::open(path);
  ASSERT_TRUE(file) << to_string(file.error());
  const auto ids = file->weights(file->tensors()[0]);
  ASSERT_FALSE(ids);
  EXPECT_EQ(to_string(ids.error()), path + ": tensor 'ids' is I32 (weights are F32, F16 or BF16)");
  EXPECT_TRUE(file->weights(file->tensors()[1]));
}

TEST(Safetensors, AScalarAnEmptyTensorAndAFileOfNoneAreRead) {
  EXPECT_EQ(error_of(safetensors("{}", "")), "");
  EXPECT_EQ(error_of(safetensors(R"({"s":{"dtype":"F32","shape":[],"data_offsets":[0,4]},)"
                                 R"("e":{"dtype":"F32","shape":[0,7],"data_offsets":[0,0]},)"
                                 R"("l":{"dtype":"F32","shape":[0],"data_offsets":[4,4]}})",
                                 "1234")),
            "");
}

/// A header of one tensor 't' of these three values, with 4 bytes of data.
std::string one(const std::string& dtype, const std::string& shape, const std::string& offsets) {
  return safetensors(
      R"({"t":{"dtype":)" + dtype + R"(,"shape":)" + shape + R"(,"data_offsets":)" + offsets + "}}", "1234");
}

struct Hostile {
  std::string bytes;
  std::string message;
};

std::string nested(int depth) { return std::string(depth, '[') + std::string(depth, ']'); }

TEST(Safetensors, EveryHostileHeaderIsOneErrorThatNamesFileAndTensor) {
  const std::string whole = R"({"t":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}})";
  const Hostile cases[] = {
      {"", "f: it is empty"},
      {"1234567", "f: it ends inside the 8 bytes of the header's length"},
      {little_endian(0), "f: the header does not begin with '{' (is this a .safetensors file?)"},
      {little_endian(9) + "{}", "f: it ends inside the header: 2 of 9 bytes (is the file whole?)"},
      {little_endian(100'000'001) + "{}",
       "f: a header of 100000001 bytes, more than 100000000 (is this a .safetensors file?)"},
      {little_endian(~std::uint64_t{0}) + "{}",
       "f: a header of 18446744073709551615 bytes, more than 100000000 (is this a .safetensors "
       "file?)"},
      {std::string("\x80\x02}q\x00(X\x0b\x00\x00\x00weights", 19),
       "f: a header of 817447314736874112 bytes, more than 100000000 (is this a .safetensors "
       "file?)"},  // a pickle
      {safetensors("[]", ""), "f: the header does not begin with '{' (is this a .safetensors file?)"},
      {safetensors(" {}", ""), "f: the header does not begin with '{' (is this a .safetensors file?)"},
      {safetensors("{", ""), "f: the header: it is not JSON (byte 2 of it)"},
      {safetensors("{}}", ""), "f: the header: it is not JSON (byte 3 of it)"},
      {safetensors("{'t':1}", ""), "f: the header: it is not JSON (byte 2 of it)"},
      {safetensors("{\"t\xff\":1}", ""), "f: the header: it is not JSON (byte 4 of it)"},
      {safetensors(std::string("{}\0{", 4), ""), "f: the header: it holds a zero byte (byte 3 of it)"},
      {safetensors("{/**/}", ""), "f: the header: it is not JSON (byte 2 of it)"},
      {safetensors(R"({"t":1e999})", ""), "f: the header: a number too large (byte 10 of it)"},
      {safetensors(R"({"t":)" + nested(3) + "}", ""), "f: the header: nested deeper than 3"},
      {safetensors(R"({"t":)" + nested(1'000'000) + "}", ""), "f: the header: nested deeper than 3"},
      {safetensors(R"({"t":{},"t":{}})", ""), "f: tensor 't': dtype must be a text"},
      {safetensors(R"({"__metadata__":{},"__metadata__":{}})", ""),
       "f: the header: '__metadata__' stands twice"},
      {safetensors(R"({"t":{"dtype":"F32","dtype":"F32"}})", ""), "f: the header: 'dtype' stands twice"},
      {safetensors(whole.substr(0, whole.size() - 1) + "," + whole.substr(1), "1234"),
       "f: the header: 't' stands twice"},
      {safetensors(R"({"__metadata__":[]})", ""), "f: __metadata__ is not an object"},
      {safetensors(R"({"__metadata__":{"a":1}})", ""), "f: __metadata__: 'a' is not a text"},
      {safetensors(R"({"":{}})", ""), "f: a tensor without a name"},
      {safetensors(R"({")" + std::string(1025, 'n') + R"(":{}})", ""),
       "f: the header: a name of 1025 bytes, more than 1024"},
      {safetensors(R"({"t":null})", ""), "f: tensor 't': it is not an object"},
      {safetensors(R"({"t":[1]})", ""), "f: tensor 't': it is not an object"},
      {safetensors(R"({"t":{"dtype":"F32","shape":[1],"offsets":[0,4]}})", "1234"),
       "f: tensor 't': unknown key 'offsets' (known: dtype, shape, data_offsets)"},
      {safetensors(R"({"t\n":{"dtype":"F32"}})", ""), "f: tensor 't ': shape must be a list"},
      {one("1", "[1]", "[0,4]"), "f: tensor 't': dtype must be a text"},
      {one("\"F23\"", "[1]", "[0,4]"), "f: tensor 't': unknown dtype 'F23' (weights are F32, F16 or BF16)"},
      {one("\"f32\"", "[1]", "[0,4]"), "f: tensor 't': unknown dtype 'f32' (weights are F32, F16 or BF16)"},
      {one("\"F32\"", "1", "[0,4]"), "f: tensor 't': shape must be a list"},
      {one("\"F32\"", "[-1]", "[0,4]"), "f: tensor 't': shape: -1 is not a size"},
      {one("\"F32\"", "[1.5]", "[0,4]"), "f: tensor 't': shape: 1.5 is not a size"},
      {one("\"F32\"", "[\"1\"]", "[0,4]"), "f: tensor 't': shape: string is not a size"},
      {one("\"F32\"", "[1,1,1,1,1,1,1,1,1]", "[0,4]"), "f: tensor 't': 9 dimensions, more than 8"},
      {one("\"F32\"", "[4294967296,4294967296]", "[0,4]"),
       "f: tensor 't': shape [4294967296, 4294967296] is too large"},
      {one("\"F32\"", "[18446744073709551615]", "[0,4]"),
       "f: tensor 't': shape [18446744073709551615] is too large"},
      {one("\"F32\"", "[18446744073709551616]", "[0,4]"),
       "f: tensor 't': shape: 1.8446744073709552e+19 is not a size"},
      {one("\"F4\"", "[3]", "[0,2]"), "f: tensor 't': 12 bits are no whole bytes"},
      {one("\"F32\"", "[1]", "4"), "f: tensor 't': data_offsets must be two numbers of bytes"},
      {one("\"F32\"", "[1]", "[0]"), "f: tensor 't': data_offsets must be two numbers of bytes"},
      {one("\"F32\"", "[1]", "[0,4,8]"), "f: tensor 't': data_offsets must be two numbers of bytes"},
      {one("\"F32\"", "[1]", "[-4,0]"), "f: tensor 't': data_offsets must be two numbers of bytes"},
      {one("\"F32\"", "[1]", "[4,0]"), "f: tensor 't': it begins at byte 4 and ends at 0"},
      {one("\"F32\"", "[1]", "[0,2]"), "f: tensor 't': F32 [1] takes 4 bytes, data_offsets give it 2"},
      {one("\"F32\"", "[2]", "[0,4]"), "f: tensor 't': F32 [2] takes 8 bytes, data_offsets give it 4"},
      {one("\"F32\"", "[2]", "[0,8]"), "f: tensor 't': it ends at byte 8 of 4 (is the file whole?)"},
      {one("\"U8\"", "[4]", "[18446744073709551611,18446744073709551615]"),
       "f: tensor 't': it ends at byte 18446744073709551615 of 4 (is the file whole?)"},
      {one("\"F32\"", "[0]", "[4,4]"), "f: tensor 't': bytes 0 to 4 before it belong to no tensor"},
      {one("\"U8\"", "[2]", "[0,2]"), "f: 2 bytes behind the last tensor belong to none"},
      {one("\"U8\"", "[2]", "[2,4]"), "f: tensor 't': bytes 0 to 2 before it belong to no tensor"},
      {safetensors("{}", "1234"), "f: 4 bytes behind the last tensor belong to none"},
      {safetensors(R"({"u":{"dtype":"U8","shape":[3],"data_offsets":[0,3]},)"
                   R"("v":{"dtype":"U8","shape":[2],"data_offsets":[2,4]}})",
                   "1234"),
       "f: tensor 'v': it overlaps tensor 'u'"},
      {safetensors(R"({"u":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},)"
                   R"("v":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}})",
                   "1234"),
       "f: tensor 'v': it overlaps tensor 'u'"},
      {safetensors(R"({"u":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},)"
                   R"("v":{"dtype":"U8","shape":[2],"data_offsets":[2,4]}})",
                   "1234"),
       "f: tensor 'v': bytes 1 to 2 before it belong to no tensor"},
  };
  for (const Hostile& hostile : cases) EXPECT_EQ(error_of(hostile.bytes), hostile.message);
  EXPECT_EQ(error_of(safetensors(whole, "1234")), "");
  EXPECT_GE(std::size(cases), 40u);
}

TEST(Safetensors, MoreTensorsOrValuesThanAnyModelHasAreRefused) {
  std::string header = "{";
  for (int i = 0; i <= 1 << 16; ++i)
    header +=
        (i == 0 ? "\"" : ",\"") + std::to_string(i) + R"(":{"dtype":"U8","shape":[0],"data_offsets":[0,0]})";
  EXPECT_EQ(error_of(safetensors(header + "}", "")), "f: more than 65536 tensors");
  std::string metadata = R"({"__metadata__":{"0":"")";
  for (int i = 1; i < 70000; ++i) metadata += ",\"" + std::to_string(i) + R"(":"")";
  EXPECT_EQ(error_of(safetensors(metadata + "}}", "")),
            "f: the header: '__metadata__' has more than 65536 values");
}

TEST(Safetensors, AFileCutAnywhereIsRefused) {
  const std::string bytes = safetensors(kHeader, kData);
  ASSERT_EQ(error_of(bytes), "");
  for (std::size_t length = 0; length < bytes.size(); ++length)
    EXPECT_NE(error_of(bytes.substr(0, length)), "") << length << " bytes";
  EXPECT_NE(error_of(bytes + "x"), "");
}

TEST(Safetensors, WhatIsNoRegularFileIsOneErrorAndIsNotWaitedFor) {
  const ModelFolder folder;
  const auto message = [](const std::string& path) {
    const auto file = SafetensorsFile::open(path);
    return file ? "" : to_string(file.error());
  };
  ASSERT_EQ(::mkfifo(folder.file("fifo").c_str(), 0600), 0);
  EXPECT_EQ(message(folder.file("fifo")),
            "cannot read '" + folder.file("fifo") + "': it is not a regular file");
  EXPECT_EQ(message(folder.path()), "cannot read '" + folder.path() + "': it is a directory");
  EXPECT_EQ(message("/dev/zero"), "cannot read '/dev/zero': it is not a regular file");
  EXPECT_EQ(message(folder.file("none")),
            "cannot read '" + folder.file("none") + "': No such file or directory");
  EXPECT_EQ(message(std::string("a\0b", 3)), "a file name cannot hold a zero byte");
  EXPECT_EQ(message(folder.write("empty", "")), folder.file("empty") + ": it is empty");
}

TEST(Safetensors, AHoleLargerThanTheMemoryTakesNoneOfIt) {
  const ModelFolder folder;
  const std::uint64_t hole = std::uint64_t{1} << 36;
  const std::string path = folder.write(
      "m.safetensors",
      safetensors(R"({"t":{"dtype":"U8","shape":[68719476736],"data_offsets":[0,68719476736]}})", ""));
  const auto header = std::filesystem::file_size(path);
  std::error_code refused;
  std::filesystem::resize_file(path, header + hole, refused);
  if (refused) GTEST_SKIP() << "this file system holds no file of 64 GiB";
  EXPECT_TRUE(SafetensorsFile::open(path));
  std::filesystem::resize_file(path, header + hole - 1);
  const auto cut = SafetensorsFile::open(path);
  ASSERT_FALSE(cut);
  EXPECT_THAT(to_string(cut.error()), HasSubstr("tensor 't': it ends at byte 68719476736 of 68719476735"));
}

}  // namespace
}  // namespace dspark
