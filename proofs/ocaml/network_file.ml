(* Section 2 of FORMAT.md: a network file as the checker's data.  What makes its text unique is refused here: a row that is
   not in normal form, a mask that should be a word. *)

(* Z is zarith's module throughout, not the one of that name in the extracted checker *)
module Integers = Z
open Checker
module Z = Integers

(* `count` times `read`, in order *)
let repeat count read =
  let rec onto left found = if left = 0 then List.rev found else onto (left - 1) (read () :: found) in
  onto count []

let read_row text inputs =
  let fields = Text.take text "row" "2" in
  let exponent = Text.exponent fields in
  match Text.integers fields with
  | constant :: coefficients, found when found = inputs + 1 ->
      let is_odd number = Z.testbit number 0 in
      let all_zero = List.for_all (fun number -> Z.sign number = 0) in
      if not (is_odd constant || List.exists is_odd coefficients)
         && not (exponent = 0 && Z.sign constant = 0 && all_zero coefficients)
      then Text.refuse fields "a row is not in normal form";
      { exponent = Z.of_int exponent; constant; coefficients }
  | _, found -> Text.refuse fields (Printf.sprintf "a row: %d numbers where %d belong" found (inputs + 1))

(* the bits of a mask as exactly one mark an output *)
let rec fit fields outputs bits marks =
  match bits with
  | bit :: bits when outputs > 0 -> fit fields (outputs - 1) bits (bit :: marks)
  | true :: _ -> Text.refuse fields "the mask has a bit beyond the outputs"
  | false :: bits -> fit fields outputs bits marks
  | [] -> List.rev_append marks (repeat outputs (fun () -> false))

let read_layer text width =
  let fields = Text.take text "layer" "2" in
  let inputs = Text.natural_below fields "the number of inputs" Text.largest_size in
  let outputs = Text.natural_below fields "the number of outputs" Text.largest_size in
  if inputs <> width then Text.refuse fields (Printf.sprintf "a layer of %d inputs follows %d coordinates" inputs width);
  let kind = Text.word fields [ "all"; "none"; "mask" ] in
  let mask = if kind = "mask" then Text.mask fields "the mask" else [] in
  Text.finish fields;
  (* the marks after the rows: a count allocates nothing *)
  let rows = repeat outputs (fun () -> read_row text inputs) in
  let rectified = if kind = "all" then repeat outputs (fun () -> true) else fit fields outputs mask [] in
  let is_word = not (List.mem true rectified && List.mem false rectified) in
  if (kind = "mask" && is_word) || (kind = "all" && outputs = 0) then
    Text.refuse fields "a mask of all or no outputs is written as the word, and a layer without outputs says `none`";
  { inputs; rows; rectified }

(* raises Text.Rejected *)
let read bytes =
  let text = Text.of_string bytes in
  Text.finish (Text.take text "exactrelu-network 1" "2");
  while Text.begins text "source" do
    let source = Text.take text "source" "2" in
    ignore (Text.sha256 source);
    ignore (Text.natural source "a length");
    Text.name source;
    Text.finish source
  done;
  let convention = Text.take text "convention" "2" in
  ignore (Text.word convention [ "exact-1" ]);
  Text.finish convention;
  let fields = Text.take text "input" "2" in
  let network_inputs = Text.natural_below fields "the number of inputs" Text.largest_size in
  Text.finish fields;
  let rec onto layers number width =
    if number > 0 && not (Text.begins text "layer") then List.rev layers
    else if number = Text.most_layers then Text.reject "2" (Printf.sprintf "more than %d layers" number)
    else
      let layer = read_layer text width in
      onto (layer :: layers) (number + 1) (List.length layer.rows) in
  let layers = onto [] 0 network_inputs in
  Text.finish_text text "2";
  { network_inputs; layers }
