#pragma once

#include "executor/checkpoint/json_fields.h"
#include "executor/tokenizer/normalizer.h"
#include "executor/tokenizer/pre_tokenizer.h"
#include "executor/tokenizer/token_decoder.h"

namespace dspark {

// The objects of a tokenizer.json that say what is done to a text: each has a `type`, and those of type
// `Sequence` hold others. What is not supported is the error of the fields.

void read_normalizer(JsonFields fields, Normalizer& normalizer);
void read_pre_tokenizer(JsonFields fields, PreTokenizer& pre_tokenizer);
void read_decoder(JsonFields fields, TokenDecoder& decoder);

}  // namespace dspark
