(* Section 2 of FORMAT.md: a network file as the checker's data: with all coefficients, or by those that are not 0, each when it is asked
   for first.  What makes its text unique is refused here: a row that is not in normal form, a mask that should be a word. *)

(* Z is zarith's module throughout, not the one of that name in the extracted checker *)
module Integers = Z
open Checker
module Z = Integers

(* `dense` raises Text.Rejected where it would take too much memory *)
type t = { dense : network Lazy.t; sparse : sparse_network Lazy.t }

(* as it stands in the file *)
type row_read = Dense of row | Sparse of sparse_row
type layer_read = { width : int; rows_read : row_read list; marks : bool list }

(* `count` times `read`, in order *)
let repeat count read =
  let rec onto left found = if left = 0 then List.rev found else onto (left - 1) (read () :: found) in
  onto count []

let is_odd number = Z.testbit number 0

(* not all zero and one is odd, or all zero and the exponent too *)
let in_normal_form exponent constant coefficients =
  is_odd constant || List.exists is_odd coefficients
  || exponent = 0 && List.for_all (fun number -> Z.sign number = 0) (constant :: coefficients)

(* the version in which a row with so many non-zero coefficients stands as `sparse` *)
let is_sparse version inputs found = version = 2 && 4 * found <= inputs

let read_dense_row text version inputs =
  let fields = Text.take text "row" "2" in
  let exponent = Text.exponent fields in
  match Text.integers fields with
  | constant :: coefficients, found when found = inputs + 1 ->
      if not (in_normal_form exponent constant coefficients) then Text.refuse fields "a row is not in normal form";
      let nonzero = List.fold_left (fun sum number -> if Z.sign number = 0 then sum else sum + 1) 0 coefficients in
      if is_sparse version inputs nonzero then Text.refuse fields "a row with so few non-zero coefficients is written as `sparse`";
      Dense { exponent = Z.of_int exponent; constant; coefficients }
  | _, found -> Text.refuse fields (Printf.sprintf "a row: %d numbers where %d belong" found (inputs + 1))

let read_sparse_row text inputs =
  let fields = Text.take text "sparse" "2" in
  let exponent = Text.exponent fields in
  let constant = Text.integer fields "b" in
  let found = Text.natural_below fields "K" Text.largest_size in
  if not (is_sparse 2 inputs found) then Text.refuse fields "a row with so many non-zero coefficients is written as `row`";
  let rec onto left next terms =
    if left = 0 then List.rev terms
    else
      let column = Text.natural_below fields "J" Text.largest_size in
      if column < next || column >= inputs then Text.refuse fields "the columns of a row do not increase, or one is beyond the inputs";
      onto (left - 1) (column + 1) ((column, Text.nonzero fields "c") :: terms) in
  let terms = onto found 0 [] in
  Text.finish fields;
  if not (in_normal_form exponent constant (List.map snd terms)) then Text.refuse fields "a row is not in normal form";
  Sparse { sparse_exponent = Z.of_int exponent; sparse_constant = constant; row_terms = terms }

(* A row by its terms, with all coefficients.  `zeros.(k)` is a list of k zeros, which the rows of a layer share: each of them ends in
   one. *)
let dense_row inputs zeros { sparse_exponent = exponent; sparse_constant = constant; row_terms } =
  let rec prepend count list = if count = 0 then list else prepend (count - 1) (Z.zero :: list) in
  (* `after`: what stands from column `from` on; the terms before it, the last one first *)
  let rec expand after from = function
    | [] -> prepend from after
    | (column, coefficient) :: terms -> expand (coefficient :: prepend (from - column - 1) after) column terms in
  let coefficients =
    match List.rev row_terms with
    | [] -> zeros.(inputs)
    | (column, coefficient) :: terms -> expand (coefficient :: zeros.(inputs - column - 1)) column terms in
  { exponent; constant; coefficients }

(* coefficients of rows by their terms that a network with all of them would hold; a checker gives up on more *)
let most_filled_in = 1 lsl 27

let filled_in layers =
  let of_row = function
    | Sparse { row_terms = _ :: _ as terms; _ } -> fst (List.nth terms (List.length terms - 1)) + 1
    | Sparse _ | Dense _ -> 0 in
  List.fold_left (fun sum layer -> List.fold_left (fun sum row -> sum + of_row row) sum layer.rows_read) 0 layers

let dense_layer { width; rows_read; marks } =
  let zeros =
    lazy (
      let lists = Array.make (width + 1) [] in
      for k = 1 to width do lists.(k) <- Z.zero :: lists.(k - 1) done;
      lists) in
  let dense = function Dense row -> row | Sparse row -> dense_row width (Lazy.force zeros) row in
  { inputs = width; rows = tmap dense rows_read; rectified = marks }

let sparse_layer { width; rows_read; marks } =
  let sparse = function Dense row -> sparse_row_of row | Sparse row -> row in
  { sparse_inputs = width; sparse_rows = tmap2 (fun row mark -> (sparse row, mark)) rows_read marks }

(* the bits of a mask as exactly one mark an output *)
let rec fit fields outputs bits marks =
  match bits with
  | bit :: bits when outputs > 0 -> fit fields (outputs - 1) bits (bit :: marks)
  | true :: _ -> Text.refuse fields "the mask has a bit beyond the outputs"
  | false :: bits -> fit fields outputs bits marks
  | [] -> List.rev_append marks (repeat outputs (fun () -> false))

let read_layer text version width =
  let fields = Text.take text "layer" "2" in
  let inputs = Text.natural_below fields "the number of inputs" Text.largest_size in
  let outputs = Text.natural_below fields "the number of outputs" Text.largest_size in
  if inputs <> width then Text.refuse fields (Printf.sprintf "a layer of %d inputs follows %d coordinates" inputs width);
  let kind = Text.word fields [ "all"; "none"; "mask" ] in
  let mask = if kind = "mask" then Text.mask fields "the mask" else [] in
  Text.finish fields;
  let read_row () =
    if version = 2 && Text.begins text "sparse" then read_sparse_row text inputs else read_dense_row text version inputs in
  (* the marks after the rows: a count allocates nothing *)
  let rows_read = repeat outputs read_row in
  let marks = if kind = "all" then repeat outputs (fun () -> true) else fit fields outputs mask [] in
  let is_word = not (List.mem true marks && List.mem false marks) in
  if (kind = "mask" && is_word) || (kind = "all" && outputs = 0) then
    Text.refuse fields "a mask of all or no outputs is written as the word, and a layer without outputs says `none`";
  { width = inputs; rows_read; marks }

(* raises Text.Rejected *)
let read bytes =
  let text = Text.of_string bytes in
  let version = if Text.begins text "exactrelu-network 2" then 2 else 1 in
  Text.finish (Text.take text (Printf.sprintf "exactrelu-network %d" version) "2");
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
      let layer = read_layer text version width in
      onto (layer :: layers) (number + 1) (List.length layer.rows_read) in
  let layers = onto [] 0 network_inputs in
  Text.finish_text text "2";
  let dense () =
    if filled_in layers > most_filled_in then
      Text.reject "2" (Printf.sprintf "with the zeros before their last terms the sparse rows have more than %d coefficients" most_filled_in);
    { network_inputs; layers = List.map dense_layer layers } in
  { dense = Lazy.from_fun dense;
    sparse = lazy { sparse_network_inputs = network_inputs; sparse_layers = List.map sparse_layer layers } }
