(* Sections 3 and 4 of FORMAT.md: a certificate as the checker's data.  Nothing is computed from it: where the number of
   values on a line, or of lines, depends on the network, what is there is taken, and the checker compares the counts. *)

(* Z is zarith's module throughout, not the one of that name in the extracted checker *)
module Integers = Z
open Checker
module Z = Integers

(* the first two lines: the SHA-256 of the network *)
let read_header text =
  Text.finish (Text.take text "exactrelu-certificate 1" "3");
  let fields = Text.take text "network" "3" in
  let sha256 = Text.sha256 fields in
  Text.finish fields;
  sha256

(* ---------- parts of lines ---------- *)

let rest_of fields = fst (Text.integers fields)

(* D v1 .. vn *)
let point_of fields =
  let denominator = Text.positive fields "a denominator" in
  { denominator; numerators = rest_of fields }

let read_point text keyword section = point_of (Text.take text keyword section)

(* E d1 .. dn: what a ray says does not depend on E *)
let direction_of fields =
  ignore (Text.exponent fields);
  rest_of fields

(* S E w1 .. wk *)
let margin_of fields =
  let selected = Text.mask fields "S" in
  let outside = Text.natural_below fields "E" Text.largest_exponent in
  (selected, Z.of_int outside, rest_of fields)

(* the lines that begin with the keyword, in order *)
let lines_of text keyword section read =
  let rec onto found = if Text.begins text keyword then onto (read (Text.take text keyword section) :: found) else List.rev found in
  onto []

(* ---------- section 3 ---------- *)

let read_data text =
  let fields = Text.take text "data" "3" in
  if not (Text.is_alone fields "none") then begin
    ignore (Text.sha256 fields);
    ignore (Text.natural fields "a row");
    ignore (Text.positive fields "P");
    ignore (Text.positive fields "Q");
    Text.finish fields
  end

let read_scope text =
  let fields = Text.take text "scope" "3" in
  ignore (Text.word fields [ "layer" ]);
  let layer = Text.count fields "the layer's number" in
  if layer = 0 then Text.refuse fields "the layer's number is 0";
  Text.finish fields;
  layer

let read_side fields =
  match rest_of fields with
  | constant :: coefficients -> (constant, coefficients)
  | [] -> Text.refuse fields "a side without numbers"

let read_domain text =
  let fields = Text.take text "domain" "3.1" in
  match Text.word fields [ "all"; "orthant"; "box"; "polytope" ] with
  | "polytope" ->
      let sides = Text.natural_below fields "the number of sides" Text.largest_size in
      Text.finish fields;
      Polytope (Network_file.repeat sides (fun () -> read_side (Text.take text "side" "3.1")))
  | kind ->
      Text.finish fields;
      if kind = "all" then AllSpace
      else if kind = "orthant" then Orthant
      else
        let lower = read_point text "lower" "3.1" in
        Box (lower, read_point text "upper" "3.1")

let read_subject text =
  let fields = Text.take text "subject" "3" in
  let kind = Text.word fields [ "input"; "layer-input"; "output" ] in
  Text.finish fields;
  match kind with
  | "input" -> NetworkInput (read_point text "point" "3")
  | "layer-input" -> LayerInput (read_point text "point" "3")
  | _ -> LayerOutput (read_point text "output" "3")

let read_claim text =
  let fields = Text.take text "claim" "3.2" in
  ignore (Text.word fields [ "preimage" ]);
  let kind = Text.word fields [ "empty"; "singleton"; "bounded"; "unbounded"; "infinite" ] in
  let claim =
    if kind = "empty" then Empty
    else
      let size =
        match kind with "singleton" -> Singleton | "bounded" -> Bounded | "unbounded" -> Unbounded | _ -> Infinite in
      let dimension = Text.count fields "DIM" in
      let rank = Text.count fields "RANK" in
      Preimage (size, dimension, rank, Text.count fields "ACTIVE") in
  Text.finish fields;
  claim

(* ---------- section 4 ---------- *)

let read_relation fields =
  let related = Text.count fields "I" in
  let factor = Text.positive fields "D" in
  let rec onto terms =
    if Text.is_empty fields then List.rev terms
    else
      let row = Text.count fields "J" in
      onto ((row, Text.nonzero fields "c") :: terms) in
  { related; factor; terms = onto [] }

let read_rank text section =
  let fields = Text.take text "rank" section in
  let rank_value = Text.count fields "R" in
  let modulus = Text.natural fields "Q" in
  if Z.equal modulus Z.one || Z.numbits modulus > 64 then Text.refuse fields "Q is 1, or not below 2^64";
  let chosen_rows = Text.mask fields "ROWS" in
  let chosen_columns = Text.mask fields "COLS" in
  let bound = Text.word fields [ "rows"; "columns"; "relations"; "null" ] in
  Text.finish fields;
  let bound_above =
    match bound with
    | "rows" -> ByRows
    | "columns" -> ByColumns
    | "relations" -> ByRelations (lines_of text "relation" section read_relation)
    | _ -> ByNullVectors (lines_of text "null" section rest_of) in
  { rank_value; modulus; chosen_rows; chosen_columns; bound_above }

(* every piece of evidence, by the words that its first line begins with *)
let readers : (string * string * (Text.t -> Text.fields -> evidence)) list = [
  ("solution", "4.1", (fun _ fields -> Solution (point_of fields)));
  ("trivial margin", "4.3", (fun _ fields ->
    let selected, outside, multipliers = margin_of fields in
    TrivialMargin (selected, outside, multipliers)));
  ("trivial exact", "4.3", (fun text fields ->
    let multipliers = rest_of fields in
    TrivialExact (multipliers, read_rank text "4.3")));
  ("tight", "4.5", (fun _ fields ->
    let implicit = Text.mask fields "E" in
    Text.finish fields;
    Tight implicit));
  ("implicit", "4.5", (fun text fields ->
    let multipliers = rest_of fields in
    Implicit (multipliers, read_rank text "4.5")));
  ("ray margin", "4.6", (fun _ fields -> RayMargin (direction_of fields)));
  ("ray exact", "4.6", (fun _ fields -> RayExact (direction_of fields)));
  ("recession", "4.7", (fun _ fields -> Recession (point_of fields)));
  ("negative", "4.8", (fun _ fields ->
    let index = Text.count fields "I" in
    Text.finish fields;
    NegativeOutput index));
  ("farkas", "4.8", (fun _ fields -> FarkasMultipliers (rest_of fields)));
  ("empty margin", "4.8", (fun _ fields ->
    let selected, outside, multipliers = margin_of fields in
    EmptyMargin (selected, outside, multipliers))) ]

let read_evidence text =
  let rec onto found =
    if Text.begins text "end" then List.rev found
    else if Text.begins text "rank" then onto (RankOf (read_rank text "4.2") :: found)
    else
      match List.find_opt (fun (keyword, _, _) -> Text.begins text keyword) readers with
      | Some (keyword, section, read) -> onto (read text (Text.take text keyword section) :: found)
      | None -> Text.reject "4" (Printf.sprintf "line %d: no evidence begins like this, or `end` is missing" text.number) in
  onto []

(* the certificate after its header; raises Text.Rejected *)
let read text =
  read_data text;
  let scope_layer = read_scope text in
  let on = read_domain text in
  let about = read_subject text in
  let claimed = read_claim text in
  let proved_by = read_evidence text in
  Text.finish_text text "4";
  { scope_layer; on; about; claimed; proved_by }

(* ---------- the claim in words ---------- *)

let claim_in_words certificate =
  let where = match certificate.on with AllSpace -> "all" | Orthant -> "orthant" | Box _ -> "box" | Polytope _ -> "polytope" in
  let start = Printf.sprintf "preimage of layer %d (%s): " certificate.scope_layer where in
  match certificate.claimed with
  | Empty -> start ^ "empty"
  | Preimage (size, dimension, rank, active) ->
      let word = match size with Singleton -> "singleton" | Bounded -> "bounded" | Unbounded -> "unbounded" | Infinite -> "infinite" in
      start ^ Printf.sprintf "%s, dimension %d, rank %d, %d active" word dimension rank active
