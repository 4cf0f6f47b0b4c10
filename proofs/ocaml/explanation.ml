(* Where a certificate fails that `check` has refused.  Its parts are asked again, from the claim to the evidence, until one
   refuses too; the answer is for people and decides nothing. *)

open Checker

let oracle = Proposals.oracle

let of_preimage layer certificate given output size dimension rank active =
  match base_point layer certificate.on output given certificate.proved_by with
  | None -> ("4.1", "a solution is missing, or it is not in the domain or does not have the output")
  | Some ((point, values), rest) ->
      match rest with
      | RankOf evidence :: rest ->
          let positive = List.length (List.filter (fun value -> Big_int_Z.sign_big_int value > 0) output.numerators) in
          if positive <> active then ("3.2", "ACTIVE is not the number of positive outputs")
          else if (dimension = 0) <> (size = Singleton) then ("3.2", "the cardinality does not go with the dimension")
          else
            let rows = tmap (fun row -> General row) (active_rows layer values) in
            (match check_rank oracle layer.inputs rows evidence with
             | None -> ("4.2", "the rank is not proved")
             | Some _ when evidence.rank_value <> rank -> ("4.2", "RANK of the claim is not the rank that the evidence shows")
             | Some _ when size = Singleton -> ("4.3", "no other solution is excluded")
             | Some block ->
                 match check_dimension oracle layer certificate.on point values block dimension rest with
                 | None -> ("4.5", "the dimension is not proved")
                 | Some _ -> ("4.7", "boundedness or its contrary is not proved, or evidence is left"))
      | _ -> ("4.2", "`rank` belongs here")

let of_certificate network certificate =
  match split_layers network certificate.scope_layer with
  | None -> ("3", "the network does not have this layer")
  | Some (before, layer) ->
      if not (domain_ok layer.inputs certificate.on) then ("3.1", "a bound or side of the wrong length, or bounds that cross")
      else
        match subject_values network before layer certificate.about with
        | None -> ("3", "the point or output has the wrong length")
        | Some (given, output) ->
            match certificate.claimed with
            | Empty -> ("4.8", "the evidence is no contradiction")
            | Preimage (size, dimension, rank, active) -> of_preimage layer certificate given output size dimension rank active

(* "section N: reason" *)
let of_refusal network certificate =
  let section, reason = of_certificate network certificate in
  Printf.sprintf "section %s: %s" section reason
