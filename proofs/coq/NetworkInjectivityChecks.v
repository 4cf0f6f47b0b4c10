(* The checker of the injectivity of several layers together (sections 4.14 and 4.15 of FORMAT.md): layer by layer, each on a set that
   holds what reaches it (I2), by skips (I14), or by the maps of all regions: one matrix for them (I14), or their orientation (I12).
   `check_network_injective_sound` in NetworkInjectivitySound.v: whatever the oracles propose, true means that the claim holds
   (NetworkClaims.v). *)
From Coq Require Import ZArith List Bool.
From ExactRelu Require Import Certificate InjectivityCertificate NetworkCertificate Vectors ApproximateInverse Systems Checker
  InjectivityChecks WindowChecks SkipChecks IntervalChecks RegionTree DefiniteChecks OrientationChecks.
Import ListNotations.
Local Open Scope Z_scope.

Section Oracles.
Variables (propose : oracle) (multipliers : list (list form) -> form -> nat * (Z * list Z)) (solve : affine_piece -> point -> point).
Variables (root_above : Z -> Z) (domain_of : list interval -> domain).

(* what holds all that reaches a layer of n inputs, if the set is allowed: all vectors, the set that is known to, or an interval image *)
Definition set_of (n : nat) (K : convex_domain) (known : layer_inputs) (reached : reach) (s : layer_inputs) : option convex_domain :=
  match s, known with
  | AllVectors, _ => Some (Polyhedral AllSpace)
  | TheDomain, TheDomain => Some K
  | NonNegative, NonNegative => Some (Polyhedral Orthant)
  | IntervalImage, _ => option_map Polyhedral (image domain_of n reached)
  | _, _ => None
  end.
Definition known_after (l : layer) : layer_inputs := if forallb (fun b => b) (rectified l) then NonNegative else AllVectors.
(* the intervals after a layer, if they are asked for *)
Definition reached_after (reached : reach) (l : layer) (stages : list layer_stage) : reach :=
  InIntervals (if existsb (fun s => match stage_inputs s with IntervalImage => true | _ => false end) stages
               then ends_after root_above reached l else []).
(* a layer's biases as they are *)
Definition not_lowered : fraction := Fraction 1 0.
(* Every layer is injective on a set that holds all that reaches it. *)
Fixpoint stages_ok (K : convex_domain) (known : layer_inputs) (reached : reach) (ls : list layer) (stages : list layer_stage) : bool :=
  match ls, stages with
  | [], [] => true
  | l :: ls', s :: stages' =>
      match set_of (inputs l) K known reached (stage_inputs s) with
      | Some set =>
          injective_by_evidence propose not_lowered l set (stage_by s)
          && stages_ok K (known_after l) (reached_after reached l stages') ls' stages'
      | None => false
      end
  | _, _ => false
  end.

Definition check_network_injective (net : network) (c : network_injectivity_certificate) : bool :=
  network_ok net && convex_domain_ok (network_inputs net) (network_on c)
  && match split_layers net (network_layers c) with
     | Some (before, l) =>
         let ls := tapp before [l] in
         match network_by c with
         | ByStages stages => stages_ok (network_on c) TheDomain (InDomain (network_on c)) ls stages
         | BySkips ends inverses => blocks_ok (network_inputs net) 0 ends inverses None ls
         | ByMatrix weights cells =>
             match network_on c with
             | Polyhedral K =>
                 forallb (fun q => Nat.eqb (size_of q) (size_of (rows l))) weights
                 && check_definite multipliers (network_inputs net) weights ls K cells
             | Ball _ _ => false
             end
         | ByOrientation x0 cells =>
             match network_on c with
             | Polyhedral AllSpace => check_orientation multipliers solve (network_inputs net) ls cells x0
             | _ => false
             end
         end
     | None => false
     end.
End Oracles.
