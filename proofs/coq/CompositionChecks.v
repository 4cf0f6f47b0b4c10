(* The checker of a claim about several layers, one after the other (section 4.9 of FORMAT.md): claims about one layer each, which
   `check_layer` decides, are put together; or the layers are followed along a segment or a direction on which they are affine; or a
   tree of cases shows all inputs (CasesChecks.v).
   `check_through_sound` in CompositionSound.v: whatever the oracle proposes, true means that the claim holds (Claims.v). *)
From Coq Require Import ZArith List Bool.
From ExactRelu Require Import Certificate Vectors ApproximateInverse Systems Checker CasesChecks.
Import ListNotations.
Local Open Scope Z_scope.

(* ---------- along a segment, along a direction ---------- *)

(* neither value is positive while the other one is negative *)
Definition same_side (v w : Z) : bool := ((0 <=? v) && (0 <=? w)) || ((v <=? 0) && (w <=? 0)).

(* The value of the layers at q, if no rectified row has values of opposite signs at p and at q: then each layer is affine between
   the two. *)
Fixpoint value_beside (ls : list layer) (p q : point) : option point :=
  match ls with
  | [] => Some q
  | l :: ls' =>
      let z := row_values l p in
      let w := row_values l q in
      if forallb (fun b => b) (tmap2 (fun vw (b : bool) => negb b || same_side (fst vw) (snd vw))
                                     (tmap2 pair (numerators z) (numerators w)) (rectified l))
      then value_beside ls' (rectify l z) (rectify l w)
      else None
  end.

(* a row's value v, which changes by u along the direction: it does not reach zero *)
Definition keeps_sign (v u : Z) : bool := if 0 <? v then 0 <=? u else (0 <=? v) || (u <=? 0).
(* by how much relu(v) changes *)
Definition rectified_change (v u : Z) : Z := if 0 <? v then u else if v <? 0 then 0 else Z.max 0 u.

Definition linear_part (l : layer) : layer :=
  Layer (inputs l) (tmap (fun r => Row (exponent r) 0 (coefficients r)) (rows l)) (rectified l).

(* by how much the value of the layers at p + t d changes for every t >= 0, in units of t, if no rectified row changes its sign *)
Fixpoint change_along (ls : list layer) (p d : point) : option point :=
  match ls with
  | [] => Some d
  | l :: ls' =>
      let z := row_values l p in
      let u := row_values (linear_part l) d in
      let both := tmap2 pair (numerators z) (numerators u) in
      if forallb (fun b => b) (tmap2 (fun vu (b : bool) => negb b || keeps_sign (fst vu) (snd vu)) both (rectified l))
      then change_along ls' (rectify l z)
             (Point (denominator u)
                    (tmap2 (fun vu (b : bool) => if b then rectified_change (fst vu) (snd vu) else snd vu) both (rectified l)))
      else None
  end.

(* with p, p + t d is in the domain for every t >= 0; a box contains no such direction but 0 *)
Definition domain_contains_direction (K : domain) (d : point) : bool :=
  match K with
  | AllSpace => true
  | Orthant => forallb (Z.leb 0) (numerators d)
  | Box _ _ => false
  | Polytope sides => forallb (fun s => dot (snd s) (numerators d) <=? 0) sides
  end.

(* ---------- one layer after the other ---------- *)

(* a layer's number, a domain that holds everything it is given, and what it is given where that is known *)
Record stage := Stage { stage_layer : nat; stage_domain : domain; stage_input : option point }.

(* the layers from number k on as stages, the last one first *)
Fixpoint stages_onto (k : nat) (K : domain) (x : option point) (ls : list layer) (reversed : list stage) : list stage :=
  match ls with
  | [] => reversed
  | l :: ls' =>
      stages_onto (S k) (if forallb (fun b => b) (rectified l) then Orthant else AllSpace) (option_map (layer_value l) x) ls'
        (Stage k K x :: reversed)
  end.

Section Oracle.
Variable propose : oracle.
Variable reduce : list Z -> Z * list Z * Z.

Definition part_certificate (K : domain) (about : subject) (p : part) : certificate :=
  Certificate (part_layer p) K about (part_claim p) (part_proved_by p).

(* From the last stage on each part says that its layer takes one input to y, and with that input as the next y; the parts end at
   the first layer, or with one that takes no input to y. *)
Fixpoint parts_ok (net : network) (is_empty : bool) (stages : list stage) (y : point) (parts : list part) : bool :=
  match stages, parts with
  | [], [] => negb is_empty
  | s :: stages', p :: parts' =>
      let about := match stage_input s with Some x => LayerInput x | None => LayerOutput y end in
      let input := match part_proved_by p with Solution x :: _ => Some x | _ => stage_input s end in
      Nat.eqb (part_layer p) (stage_layer s) && check_layer propose net (part_certificate (stage_domain s) about p)
      && match part_claim p, input with
         | Empty, _ => is_empty && match parts' with [] => true | _ => false end
         | Preimage Singleton _ _ _, Some x => parts_ok net is_empty stages' x parts'
         | _, _ => false
         end
  | _, _ => false
  end.

(* infinitely many inputs in K have the output y of x, an unbounded set of them if this is asked *)
Definition infinite_ok (net : network) (ls : list layer) (K : domain) (x y : point) (unbounded : bool) (e : through_evidence) : bool :=
  let n := network_inputs net in
  contains K x
  && match e with
     | Parts [p] =>
         Nat.eqb (part_layer p) 1 && check_layer propose net (part_certificate K (LayerInput x) p)
         && match part_claim p with
            | Empty | Preimage Singleton _ _ _ => false
            | Preimage Unbounded _ _ _ => true
            | Preimage _ _ _ _ => negb unbounded
            end
     | Parts _ | Cases _ | StartingAt _ _ => false
     | SecondPoint x' =>
         negb unbounded && point_ok n x' && contains K x' && negb (same_point x x')
         && match value_beside ls x x' with Some y' => same_point y' y | None => false end
     | Direction d =>
         point_ok n d && negb (is_zero (numerators d)) && domain_contains_direction K d
         && match change_along ls x d with Some u => is_zero (numerators u) | None => false end
     end.

Definition check_through (net : network) (c : through_certificate) : bool :=
  let K := through_on c in
  network_ok net && domain_ok (network_inputs net) K
  && match split_layers net (last_layer c) with
     | None => false
     | Some (before, l) =>
         let ls := tapp before [l] in
         let given := match through_about c with InputOf x => Some x | OutputOf _ => None end in
         let y := match through_about c with InputOf x => value_through ls x | OutputOf y => y end in
         let stages := stages_onto 1 K given ls [] in
         let of_cases k t := cases_ok propose reduce (network_inputs net) before l K y k t in
         let one_or_none is_empty :=
           match through_proved_by c with
           | Parts parts => parts_ok net is_empty stages y parts
           | Cases t => of_cases (if is_empty then 0%nat else 1%nat) t
           | _ => false
           end in
         let infinite unbounded :=
           match given, through_proved_by c with
           | _, StartingAt x e =>
               negb (match given with Some x => contains K x | None => false end) && point_ok (network_inputs net) x
               && same_point (value_through ls x) y && infinite_ok net ls K x y unbounded e
           | Some x, e => infinite_ok net ls K x y unbounded e
           | None, _ => false
           end in
         (match given with Some x => point_ok (network_inputs net) x | None => point_ok (size_of (rows l)) y end)
         && match through_claimed c with
            | NoInput => one_or_none true
            | FiniteInputs k active =>
                Nat.eqb (number (tmap (Z.ltb 0) (numerators y))) active
                && match through_proved_by c with Cases t => of_cases k t | _ => false end
            | Inputs size active =>
                Nat.eqb (number (tmap (Z.ltb 0) (numerators y))) active
                && match size with
                   | Singleton => one_or_none false
                   | Infinite => infinite false
                   | Bounded => (match K with Box _ _ => true | _ => false end) && infinite false
                   | Unbounded => infinite true
                   end
            end
     end.

End Oracle.
